import { describe, expect, it, vi } from "vitest";
import {
  CpuDevice,
  createTensor,
  DeviceError,
  openDevice,
  readTensor,
  record,
  type Device,
  type Launch,
  type Problem,
  type Recorder,
  type Tensor,
} from "../../src/tensor/index.js";
import { addLaunch } from "./programs.js";

const words = (device: Device) => createTensor(device, [4], { dtype: "u32", data: [1, 2, 3, 4], name: "words" });

/** A problem of which only the key counts here. */
const problem = (key: string): Problem => ({
  key,
  candidates: ["good", "broken", "too wide", "in two steps"],
  byRule: "good",
  inputs: [],
  axes: [],
  multiplyAdds: 1,
  record: () => {
    throw new Error("not called");
  },
});

/**
 * A kernel for tests: x + by. Its variant is decided when it is recorded, as of kernels that sum in parts; one of them
 * takes two steps, the second of which does not compile.
 */
function add(recorder: Recorder, key: string, x: Tensor<"u32">, by: number, forced?: string): Tensor<"u32"> {
  const variant = forced ?? recorder.device.capabilities.tuned[key] ?? "good";
  const launch = (from: Tensor<"u32">, to: Tensor<"u32">, own: number, broken: boolean): Launch => {
    const base = addLaunch(from, to, own);
    return {
      ...base,
      problem: forced === undefined ? problem(key) : undefined,
      plan: (capabilities) => {
        const plan = base.plan(capabilities);
        if (variant === "too wide") return { ...plan, grid: [65536, 1, 1] };
        if (!broken) return plan;
        return { ...plan, program: { name: `${key}/${variant}`, source: [`fn main() { nonsense(); }`] } };
      },
    };
  };
  const out = recorder.temporary(x.shape, "out", "u32");
  if (variant === "in two steps") {
    const half = recorder.temporary(x.shape, "half", "u32");
    recorder.add(launch(x, half, by - 1, false));
    recorder.add(launch(half, out, 1, true));
  } else {
    recorder.add(launch(x, out, by, variant === "broken"));
  }
  return out;
}

const openTuned = async (tuned: Record<string, string>) => {
  const onTunedFailure = vi.fn();
  const device = await openDevice("webgpu", { poison: true, tuned, onTunedFailure });
  return { device, onTunedFailure };
};

describe("a tuned variant that fails", () => {
  it.each(["broken", "too wide", "in two steps"])("falls through to the rule's, and says so: %s", async (variant) => {
    const { device, onTunedFailure } = await openTuned({ "add a": variant, "add b": "good" });
    const x = words(device);
    const before = device.stats();
    const recording = await record(device, (recorder) => recorder.keep(add(recorder, "add a", x, 5)));
    expect(recording.launches).toHaveLength(1);
    recording.run();
    expect([...(await readTensor(recording.result))]).toEqual([6, 7, 8, 9]);
    expect(onTunedFailure).toHaveBeenCalledOnce();
    expect(onTunedFailure).toHaveBeenCalledWith(
      expect.stringMatching(new RegExp(`^the tuned variant "${variant}" of add a fails and is passed over: [^\n]+$`)),
    );
    // For the device's life, and only this one.
    expect(device.capabilities.tuned).toEqual({ "add b": "good" });
    const second = await record(device, (recorder) => recorder.keep(add(recorder, "add a", x, 5)));
    expect(onTunedFailure).toHaveBeenCalledOnce();
    for (const each of [recording, second]) each.dispose();
    expect(device.stats()).toMatchObject({ liveBuffers: before.liveBuffers, liveBytes: before.liveBytes });
    device.destroy();
  });

  it("does so one by one where several of a recording fail, also in recordings at the same time", async () => {
    const tuned = { "add a": "broken", "add b": "in two steps", "add c": "too wide", "add d": "good" };
    const { device, onTunedFailure } = await openTuned(tuned);
    const x = words(device);
    const body = (recorder: Recorder) => {
      const sums = ["add a", "add b", "add c", "add d"].reduce((sum, key) => add(recorder, key, sum, 2), x);
      return recorder.keep(sums);
    };
    const recordings = await Promise.all([1, 2, 3].map(() => record(device, body)));
    for (const recording of recordings) {
      recording.run();
      expect([...(await readTensor(recording.result))]).toEqual([9, 10, 11, 12]);
    }
    expect(onTunedFailure).toHaveBeenCalledTimes(3);
    expect(device.capabilities.tuned).toEqual({ "add d": "good" });
    device.destroy();
  });

  it("is not passed over where the caller forced it", async () => {
    const { device, onTunedFailure } = await openTuned({ "add a": "good", "add b": "good" });
    const x = words(device);
    await expect(record(device, (recorder) => add(recorder, "add a", x, 5, "broken"))).rejects.toThrow(
      "kernel add a/broken does not compile",
    );
    expect(onTunedFailure).not.toHaveBeenCalled();
    expect(device.capabilities.tuned).toEqual({ "add a": "good", "add b": "good" });
    device.destroy();
  });

  it("is not the reason for other failures: they are passed on, without a second attempt", async () => {
    // The second is not a candidate, and so not what runs.
    const { device, onTunedFailure } = await openTuned({ "add b": "good", "add c": "of another release" });
    const x = words(device);
    const body = vi.fn((recorder: Recorder) => {
      const first = add(recorder, "add b", x, 1);
      const { launches } = recorder;
      const second = add(recorder, "add a", first, 5, "too wide");
      launches[1] = { ...launches[1], problem: problem("add c") };
      return second;
    });
    await expect(record(device, body)).rejects.toThrow(DeviceError);
    expect(body).toHaveBeenCalledOnce();
    expect(onTunedFailure).not.toHaveBeenCalled();
    device.destroy();
  });
});

describe("tuned variants", () => {
  it("are given when the device is opened, or found by a function that is given the device", async () => {
    const tuned = { "add a": "good" };
    const find = vi.fn((device: Device) => Promise.resolve(device.info.kind === "webgpu" ? tuned : {}));
    const device = await openDevice("webgpu", { tuned: find });
    expect(device.capabilities.tuned).toEqual(tuned);
    expect(find).toHaveBeenCalledExactlyOnceWith(device);
    const others = { "add b": "good" };
    device.useTuned(others);
    expect(device.capabilities.tuned).toEqual(others);
    device.destroy();
    expect(() => {
      device.useTuned(tuned);
    }).toThrow("was destroyed");
  });

  it("that cannot be found close the device again", async () => {
    let device: Device | undefined;
    const failing = openDevice("webgpu", {
      tuned: (opened) => {
        device = opened;
        throw new Error("no such file");
      },
    });
    await expect(failing).rejects.toThrow("no such file");
    expect(() => device!.allocate(4, "late")).toThrow("was destroyed");
  });

  it("are none of the CPU reference", async () => {
    const device = await openDevice("cpu", { tuned: { "add a": "good" } });
    expect(device).toBeInstanceOf(CpuDevice);
    expect(device.capabilities.tuned).toEqual({});
    device.destroy();
  });
});
