import { afterEach, describe, expect, it, vi } from "vitest";
import { waitForDawn } from "../../src/tensor/webgpu/wait.node.js";

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
    const answers = Promise.all([10, 20, 30].map((milliseconds) => waitForDawn(sleep(milliseconds))));
    let turns = 0;
    let waiting = true;
    const over = answers.finally(() => (waiting = false));
    for (; waiting; turns++) await turn();
    await over;
    expect(pauses.mock.calls.length).toBeLessThanOrEqual(turns + 1);
    const before = pauses.mock.calls.length;
    for (let rest = 0; rest < 20; rest++) await turn();
    expect(pauses).toHaveBeenCalledTimes(before);
    await waitForDawn(sleep(20));
    expect(pauses.mock.calls.length).toBeGreaterThan(before);
  });
});
