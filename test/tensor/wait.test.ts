import { afterEach, describe, expect, it, vi } from "vitest";
import { createTensor, openDevice, readTensor, record } from "../../src/tensor/index.js";
import { waitForDawn } from "../../src/tensor/webgpu/wait.node.js";
import { increaseLaunch } from "./programs.js";

// As it is, but what it is called with can be seen.
vi.mock(import("../../src/tensor/webgpu/wait.node.js"), { spy: true });

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const turn = () => new Promise((resolve) => setImmediate(resolve));

afterEach(() => {
  vi.restoreAllMocks();
});

describe("waiting for Dawn", () => {
  it("gives what is waited for, and throws what it throws", async () => {
    expect(await waitForDawn(Promise.resolve(7))).toBe(7);
    await expect(waitForDawn(Promise.reject(new Error("no device")))).rejects.toThrow("no device");
  });

  it("soon pauses in each turn of the event loop, longer the longer it takes, and up to a millisecond", async () => {
    const pauses = vi.spyOn(Atomics, "wait");
    const start = performance.now();
    let waiting = true;
    let turns = 0;
    const over = waitForDawn(sleep(200)).finally(() => (waiting = false));
    for (; waiting; turns++) await turn();
    await over;
    const elapsed = performance.now() - start;
    const lengths = pauses.mock.calls.map(([, , , milliseconds]) => milliseconds!);
    expect(lengths.length).toBeGreaterThan(0);
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
    expect(lengths[0]).toBeGreaterThanOrEqual(0.05);
    expect(lengths[0]).toBeLessThan(0.01 * elapsed);
    expect(lengths.at(-1)).toBe(1);
    // One a millisecond, and those of the first milliseconds; without pauses they would be tens of thousands.
    expect(turns).toBeLessThan(10_000 + elapsed);
  });

  it("pauses once a turn for all that is waited for, and no more once all is there", async () => {
    const pauses = vi.spyOn(Atomics, "wait");
    const inTurns: number[] = [];
    let waiting = true;
    const over = Promise.all([20, 40, 60].map((milliseconds) => waitForDawn(sleep(milliseconds)))).finally(() => {
      waiting = false;
    });
    while (waiting) {
      const before = pauses.mock.calls.length;
      await turn();
      inTurns.push(pauses.mock.calls.length - before);
    }
    await over;
    expect(Math.max(...inTurns)).toBe(1);
    // Long enough for pauses, if anything were still waited for.
    const rested = performance.now() + 30;
    const before = pauses.mock.calls.length;
    while (performance.now() < rested) await turn();
    expect(pauses).toHaveBeenCalledTimes(before);
    await waitForDawn(sleep(30));
    expect(pauses.mock.calls.length).toBeGreaterThan(before);
  });

  it("is how Dawn's device compiles, ends what is queued, and reads", async () => {
    const waits = vi.mocked(waitForDawn);
    const device = await openDevice("webgpu");
    const tensor = createTensor(device, [3], { dtype: "u32", data: [1, 2, 3] });
    const steps = [
      async () => {
        const recording = await record(device, (recorder) => {
          recorder.add(increaseLaunch(tensor, 1));
        });
        recording.run();
      },
      () => device.finish(),
      () => readTensor(tensor),
    ];
    for (const step of steps) {
      waits.mockClear();
      await step();
      expect(waits).toHaveBeenCalledTimes(1);
    }
    device.destroy();
  });
});
