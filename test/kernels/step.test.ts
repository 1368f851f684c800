import { describe, expect, it } from "vitest";
import { advance } from "../../src/kernels/step/index.js";
import { createTensor, readTensor, record, type Device } from "../../src/tensor/index.js";
import { useDevices } from "../devices.js";

const devices = useDevices();

/** The counters of these starts after so many runs. */
async function counted(device: Device, starts: readonly number[], runs: number): Promise<number[]> {
  const counters = starts.map((start) => createTensor(device, [1], { dtype: "u32", data: [start] }));
  const recording = await record(device, (recorder) => {
    advance(recorder, ...counters);
  });
  recording.run(runs);
  const values = await Promise.all(counters.map((counter) => readTensor(counter)));
  recording.dispose();
  for (const counter of counters) counter.dispose();
  return values.map(([value]) => value);
}

describe("advance", () => {
  it.each(["cpu", "gpu"] as const)("counts the runs of a recording, device %s", async (name) => {
    expect(await counted(devices[name], [0], 1)).toEqual([1]);
    expect(await counted(devices[name], [5], 7)).toEqual([12]);
  });

  it.each(["cpu", "gpu"] as const)("counts up to four counters in one launch, device %s", async (name) => {
    expect(await counted(devices[name], [5, 0], 3)).toEqual([8, 3]);
    expect(await counted(devices[name], [5, 0, 70], 3)).toEqual([8, 3, 73]);
    expect(await counted(devices[name], [5, 0, 70, 1000], 3)).toEqual([8, 3, 73, 1003]);
  });

  it.each(["cpu", "gpu"] as const)("wraps at 2^32, device %s", async (name) => {
    expect(await counted(devices[name], [0xffffffff, 0xfffffffe], 2)).toEqual([1, 0]);
  });

  it("refuses no counter, five, and the same one twice", async () => {
    await expect(counted(devices.cpu, [], 1)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: advance: 0 counters; expected 1 to 4]`,
    );
    await expect(counted(devices.cpu, [0, 0, 0, 0, 0], 1)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: advance: 5 counters; expected 1 to 4]`,
    );
    const counter = createTensor(devices.cpu, [1], { dtype: "u32", name: "counter" });
    const twice = record(devices.cpu, (recorder) => {
      advance(recorder, counter, counter);
    });
    await expect(twice).rejects.toThrowErrorMatchingInlineSnapshot(
      `[DeviceError: advance: its outputs "counter" and "counter" overlap]`,
    );
  });
});
