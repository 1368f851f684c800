import { describe, expect, it } from "vitest";
import {
  CpuDevice,
  createTensor,
  DeviceError,
  openDevice,
  readTensor,
  record,
  slice,
  writeTensor,
  type Device,
  type GpuPlan,
  type Launch,
  Tensor,
} from "../../src/tensor/index.js";
import type { Capabilities } from "../../src/tensor/device.js";
import { Block } from "../../src/tensor/tensor.js";
import { describeError } from "../../src/tensor/webgpu/error-scope.js";
import { useDevices } from "../devices.js";
import { addLaunch, increaseLaunch } from "./programs.js";

const devices = useDevices();

const words = (device: Device, name = "words") => createTensor(device, [4], { dtype: "u32", data: [1, 2, 3, 4], name });

/** A launch on `out` that differs from a good one in its plan. */
const planned = (out: Tensor<"u32">, change: Partial<GpuPlan>): Launch => {
  const launch = increaseLaunch(out, 1);
  return { ...launch, plan: (capabilities) => ({ ...launch.plan(capabilities), ...change }) };
};

describe("a WebGPU device", () => {
  it("shows the WGSL of a kernel that does not compile, line by line, and goes on", async () => {
    const out = words(devices.gpu);
    const source = ["// first module", "@compute @workgroup_size(SIZE)\nfn main() { nonsense(); }"];
    const program = { name: "test/broken", source, constants: { SIZE: 8, FAST: true } };
    const failed = await record(devices.gpu, (recorder) => {
      recorder.add(planned(out, { program }));
    }).catch((error: unknown) => error as Error);
    expect(failed).toBeInstanceOf(DeviceError);
    const { message } = failed as Error;
    expect(message).toContain("kernel test/broken does not compile: ");
    expect(message).toContain("  line 5: unresolved call target 'nonsense'");
    expect(message).toContain(
      [
        "   1 const SIZE = 8;",
        "   2 const FAST = true;",
        "   3 // first module",
        "   4 @compute @workgroup_size(SIZE)",
        "   5 fn main() { nonsense(); }",
      ].join("\n"),
    );
    expect([...(await readTensor(out))]).toEqual([1, 2, 3, 4]);
    out.dispose();
  });

  it("compiles equal programs once, also when they are recorded at the same time", async () => {
    const x = words(devices.gpu);
    const other = await openDevice("webgpu");
    const y = words(other);
    const [before, fresh] = [devices.gpu.stats(), other.stats()];
    const recordings = await Promise.all(
      [1, 2, 3].map((by) =>
        record(other, (recorder) => {
          recorder.add(increaseLaunch(y, by));
        }),
      ),
    );
    expect(other.stats().pipelinesCreated - fresh.pipelinesCreated).toBe(1);
    expect(other.stats().bindGroupsCreated - fresh.bindGroupsCreated).toBe(3);
    for (const recording of recordings) recording.run();
    expect([...(await readTensor(y))]).toEqual([7, 8, 9, 10]);
    expect(devices.gpu.stats()).toEqual(before);
    other.destroy();
    x.dispose();
  });

  it("refuses a grid and a part of a buffer that it cannot run, frees what the recording had, and goes on", async () => {
    const device = devices.gpu;
    const x = createTensor(device, [256], { dtype: "u32", name: "x" });
    const out = words(device, "out");
    const before = device.stats();
    const refused = (launch: Launch) =>
      record(device, (recorder) => {
        const spare = recorder.temporary([4], "spare", "u32");
        recorder.add(addLaunch(out, spare, 1));
        recorder.add(launch);
      });
    await expect(refused(planned(out, { grid: [65536, 1, 1] }))).rejects.toThrow(
      "test/increase: grid 65536 × 1 × 1; each has to be a whole number from 1 to 65535",
    );
    await expect(refused(planned(out, { grid: [100 / 64, 1, 1] }))).rejects.toThrow("grid 1.5625 × 1 × 1");
    await expect(refused(planned(out, { grid: [1, NaN, 1] }))).rejects.toThrow("grid 1 × NaN × 1");
    await expect(refused(planned(out, { grid: [1, 0, 1] }))).rejects.toThrow("grid 1 × 0 × 1");
    await expect(refused(addLaunch(slice(x, 1, [4], "odd part"), out, 1))).rejects.toThrow(
      `add: "odd part" starts at byte 4 of its buffer; kernels take parts that start at a multiple of ` +
        String(device.capabilities.offsetAlignment),
    );
    // Bindings that do not fit the program: found by WebGPU itself.
    await expect(refused({ ...addLaunch(x, out, 1), reads: [] })).rejects.toThrow(DeviceError);
    expect(device.stats()).toMatchObject({ liveBuffers: before.liveBuffers, liveBytes: before.liveBytes });
    expect([...(await readTensor(out))]).toEqual([1, 2, 3, 4]);
    for (const tensor of [x, out]) tensor.dispose();
  });

  it("says what to do where its memory is at an end", () => {
    class GPUOutOfMemoryError {
      constructor(readonly message: string) {}
    }
    class GPUInternalError extends GPUOutOfMemoryError {}
    const cure = ": use a smaller batch or fewer images, on a device that is opened anew";
    expect(describeError(new GPUOutOfMemoryError("no room"))).toBe(`no room${cure}`);
    const vulkan = "vkAllocateMemory failed with VK_ERROR_OUT_OF_DEVICE_MEMORY";
    expect(describeError(new GPUInternalError(vulkan))).toBe(`${vulkan}${cure}`);
    expect(describeError(new GPUInternalError("vkQueueSubmit failed"))).toBe("vkQueueSubmit failed");
  });

  it("refuses a tensor that is larger than a buffer", () => {
    const { info, capabilities, allocate } = devices.gpu;
    const bytes = capabilities.bufferBytes + 4;
    expect(() => allocate.call(devices.gpu, bytes, "everything")).toThrow(
      `"everything" needs ${bytes} bytes; a buffer of ${info.adapter} has at most ${capabilities.bufferBytes}: ` +
        `use a smaller batch or fewer images`,
    );
  });

  it("refuses a launch whose tensor is larger than a binding", async () => {
    const device = devices.gpu;
    const { bindingBytes } = device.capabilities;
    const before = device.stats();
    const block = new Block(device, bindingBytes + 4, "much");
    block.place(device.allocate(block.bytes, block.name));
    const much = new Tensor(block, [block.bytes / 4], "u32");
    const out = createTensor(device, [4], { dtype: "u32" });
    await expect(
      record(device, (recorder) => {
        recorder.add({ ...addLaunch(out, out, 1), reads: [much] });
      }),
    ).rejects.toThrow(
      `add: "much" has ${bindingBytes + 4} bytes; ${device.info.adapter} binds at most ${bindingBytes}: ` +
        `use a smaller batch or fewer images`,
    );
    for (const tensor of [much, out]) tensor.dispose();
    expect(device.stats()).toMatchObject({ liveBuffers: before.liveBuffers, liveBytes: before.liveBytes });
  });

  it("refuses a launch that its kernel cannot be run with, and stays well", async () => {
    const device = devices.gpu;
    const [x, out] = [0, 1].map(() => createTensor(device, [2], { dtype: "u32", data: [1, 2] }));
    const sound = addLaunch(x, out, 1);
    const source = `
      struct Params { a: u32, b: u32, c: u32, d: u32, e: u32 }
      @group(0) @binding(0) var<uniform> params: Params;
      @group(0) @binding(1) var<storage, read> x: array<vec4u>;
      @group(0) @binding(2) var<storage, read_write> out: array<u32>;
      @compute @workgroup_size(1) fn main() { out[0] = x[0].x + params.e; }`;
    for (const params of [
      [1, 2, 3, 4, 5],
      [1, 2],
    ]) {
      const program = { name: "test/too-wide", source: [source] };
      const faulty = record(device, (recorder) => {
        recorder.add({ ...sound, plan: () => ({ program, params, grid: [1, 1, 1] }) });
      });
      await expect(faulty).rejects.toThrow(DeviceError);
    }
    const recording = await record(device, (recorder) => {
      recorder.add(sound);
    });
    recording.run();
    expect([...(await readTensor(out))]).toEqual([2, 3]);
    for (const one of [recording, x, out]) one.dispose();
  });

  it("names the largest of intermediates that are larger than a buffer", async () => {
    const device = devices.gpu as { capabilities: Capabilities } & Device;
    const { capabilities } = device;
    const [one, x] = [1, 64].map((size) => createTensor(device, [size], { dtype: "u32" }));
    device.capabilities = { ...capabilities, bufferBytes: 128 };
    try {
      const large = record(device, (recorder) => {
        const [small, sum] = [one, x].map(({ shape }) => recorder.temporary(shape, `sum of ${shape[0]}`, "u32"));
        recorder.add(addLaunch(one, small, 1));
        recorder.add(addLaunch(x, sum, 1));
      });
      await expect(large).rejects.toThrow('"sum of 64, with what shares its memory" needs 256 bytes');
    } finally {
      device.capabilities = capabilities;
    }
    for (const tensor of [one, x]) tensor.dispose();
  });

  it("knows whether its adapter is software", () => {
    const { adapter, driver, software } = devices.gpu.info;
    expect(devices.gpu.capabilities.software).toBe(software);
    expect(software).toBe(/llvmpipe|swiftshader/i.test(`${adapter} ${driver}`));
  });
});

describe.each(["cpu", "webgpu"] as const)("every device: %s", (choice) => {
  it("counts buffers and bytes, and the most there were", async () => {
    const device = await openDevice(choice);
    const sizes = [10, 1000, 100];
    const tensors = sizes.map((size) => createTensor(device, [size]));
    expect(device.stats()).toMatchObject({ liveBuffers: 3, liveBytes: 4440, peakBytes: 4440, buffersCreated: 3 });
    tensors[1].dispose();
    await readTensor(tensors[0]);
    expect(device.stats()).toMatchObject({
      liveBuffers: 2,
      liveBytes: 440,
      peakBytes: 4440,
      buffersCreated: 3,
      reads: 1,
    });
    device.destroy();
  });

  it("is destroyed once, and says so when it is used afterwards", async () => {
    const device = await openDevice(choice);
    const tensor = words(device);
    const recording = await record(device, (recorder) => {
      recorder.add(increaseLaunch(tensor, 1));
    });
    recording.run();
    await device.finish();
    device.destroy();
    device.destroy();
    const name = choice === "cpu" ? "CPU" : "WebGPU";
    const message = (action: string) => `${action}: the ${name} device was destroyed; open another`;
    expect(() => createTensor(device, [1], { name: "late" })).toThrow(message(`allocate "late"`));
    expect(() => {
      writeTensor(tensor, [1]);
    }).toThrow(message(`write "words"`));
    await expect(readTensor(tensor)).rejects.toThrow(message(`read "words"`));
    expect(() => {
      recording.run();
    }).toThrow(message("run"));
    await expect(record(device, () => undefined)).rejects.toThrow(message("record"));
    await expect(device.finish()).rejects.toThrow(message("finish"));
    // What is left may be disposed of in any order.
    recording.dispose();
    tensor.dispose();
  });

  it("fills new memory with NaN bits where it is opened with poison, and only there", async () => {
    for (const poison of [true, false]) {
      const device = await openDevice(choice, { poison });
      const recording = await record(device, (recorder) => {
        const raw = recorder.temporary([2], "raw", "u32");
        recorder.add(increaseLaunch(raw, 0));
        return recorder.keep(raw);
      });
      recording.run();
      expect([...(await readTensor(recording.result))]).toEqual(poison ? [0xffffffff, 0xffffffff] : [0, 0]);
      device.destroy();
    }
  });
});

describe("openDevice", () => {
  it("refuses what is no choice: it would be the CPU where no adapter answers", async () => {
    const gpu = { requestAdapter: () => Promise.resolve(null) };
    await expect(openDevice("WebGPU" as "webgpu", { gpu })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: openDevice: the device is "WebGPU"; expected auto, webgpu, cpu]`,
    );
    await expect(openDevice("cpu", { profile: "quick" as "fast" })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: openDevice: profile is "quick"; expected safe, fast]`,
    );
  });

  const noAdapter = { requestAdapter: () => Promise.resolve(null) } as unknown as GPU;

  it("takes the CPU for `auto` where no adapter answers, and fails for `webgpu`", async () => {
    const device = await openDevice("auto", { gpu: noAdapter });
    expect(device).toBeInstanceOf(CpuDevice);
    expect(device.info.kind).toBe("cpu");
    device.destroy();
    await expect(openDevice("webgpu", { gpu: noAdapter })).rejects.toThrow(DeviceError);
  });

  it("takes the adapter for `auto` where one answers", async () => {
    const device = await openDevice("auto");
    expect(device.info.kind).toBe("webgpu");
    expect(device.info.adapter).toBe(devices.gpu.info.adapter);
    device.destroy();
  });
});
