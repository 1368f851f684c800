import { describe, expect, it } from "vitest";
import { advance } from "../../src/kernels/step/index.js";
import { createTensor, readTensor, record, type Device } from "../../src/tensor/index.js";
import { useDevices } from "../devices.js";

const devices = useDevices();

async function counted(device: Device, start: number, by: number | undefined, runs: number): Promise<number> {
  const counter = createTensor(device, [1], { dtype: "u32", data: [start] });
  const recording = await record(device, (recorder) => {
    advance(recorder, counter, by);
  });
  recording.run(runs);
  const [value] = await readTensor(counter);
  recording.dispose();
  counter.dispose();
  return value;
}

describe("advance", () => {
  it.each(["cpu", "gpu"] as const)("counts the runs of a recording, device %s", async (name) => {
    expect(await counted(devices[name], 0, undefined, 1)).toBe(1);
    expect(await counted(devices[name], 5, undefined, 7)).toBe(12);
    expect(await counted(devices[name], 3, 100, 4)).toBe(403);
  });

  it.each(["cpu", "gpu"] as const)("wraps at 2^32, device %s", async (name) => {
    expect(await counted(devices[name], 0xffffffff, 3, 1)).toBe(2);
    expect(await counted(devices[name], 7, 0xffffffff, 2)).toBe(5);
  });

  it("refuses a step that is not a whole number", async () => {
    await expect(counted(devices.cpu, 0, -1, 1)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: advance: by is -1; expected a whole number from 0 to 4294967295]`,
    );
    await expect(counted(devices.cpu, 0, 0.5, 1)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: advance: by is 0.5; expected a whole number from 0 to 4294967295]`,
    );
  });
});
