import { DeviceError, DisposedError } from "../../errors.js";
import type { Capabilities, Device, DeviceInfo, DeviceStats, Prepared, Storage } from "../device.js";
import { hostView, type DType, type HostArrays } from "../dtype.js";
import type { Launch } from "../launch.js";
import { StatsCounter } from "../stats.js";
import type { Tensor } from "../tensor.js";
import { encodeParams } from "./params.js";
import { PipelineCache, type Pipeline } from "./pipelines.js";

class GpuStorage implements Storage {
  constructor(
    readonly buffer: GPUBuffer,
    readonly bytes: number,
  ) {}
}

interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

/** Share of the expected time that is slept before waiting. */
const SLEPT = 0.9;

const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

/**
 * Runs kernels through WebGPU.
 *
 * The rule for memory: commands run in the order they are queued, so a buffer may serve another tensor in a later
 * dispatch of the same submit, may be written by the host after the submit that reads it was queued, and may be
 * destroyed after that.
 */
export class WebGpuDevice implements Device {
  private readonly counter = new StatsCounter();
  private readonly pipelines: PipelineCache;
  private failure: string | undefined;
  private destroyed = false;

  constructor(
    /** Held because Dawn's device does not outlive the entry that it came from. */
    readonly entry: GPU,
    private readonly gpu: GPUDevice,
    readonly info: DeviceInfo,
    readonly capabilities: Capabilities,
    private readonly poison: boolean,
  ) {
    this.pipelines = new PipelineCache(gpu, this.counter);
    gpu.addEventListener("uncapturederror", (event) => {
      this.failure ??= (event as GPUUncapturedErrorEvent).error.message;
    });
    void gpu.lost.then(({ reason, message }) => {
      if (!this.destroyed) this.failure ??= `the device was lost (${reason}): ${message}`;
    });
  }

  allocate(bytes: number, name: string): Storage {
    this.expectAlive(`allocate "${name}"`);
    if (bytes > this.capabilities.bindingBytes) {
      throw new DeviceError(
        `"${name}" needs ${bytes} bytes; ${this.info.adapter} binds at most ${this.capabilities.bindingBytes}: ` +
          `use a smaller batch or fewer images`,
      );
    }
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const buffer = this.gpu.createBuffer({ label: name, size: bytes, usage, mappedAtCreation: this.poison });
    if (this.poison) {
      new Uint8Array(buffer.getMappedRange()).fill(0xff);
      buffer.unmap();
    }
    this.counter.allocated(bytes);
    return new GpuStorage(buffer, bytes);
  }

  free(storage: Storage): void {
    if (this.destroyed) return;
    (storage as GpuStorage).buffer.destroy();
    this.counter.freed(storage.bytes);
  }

  write(tensor: Tensor, data: ArrayLike<number>): void {
    this.expectAlive(`write "${tensor.name}"`);
    const bytes = Math.ceil((data.length * tensor.bytes) / tensor.size / 4) * 4;
    const staged = new ArrayBuffer(bytes);
    hostView(tensor.dtype, staged, 0, data.length).set(data);
    this.gpu.queue.writeBuffer((tensor.storage as GpuStorage).buffer, tensor.byteOffset, staged);
  }

  async read<D extends DType>(tensor: Tensor<D>): Promise<HostArrays[D]> {
    this.expectAlive(`read "${tensor.name}"`);
    this.counter.reads++;
    const { bytes } = tensor;
    const staging = this.gpu.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    try {
      const encoder = this.gpu.createCommandEncoder();
      encoder.copyBufferToBuffer((tensor.storage as GpuStorage).buffer, tensor.byteOffset, staging, 0, bytes);
      this.gpu.queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ).catch((error: unknown) => {
        throw new DeviceError(this.failure ?? `read "${tensor.name}": ${(error as Error).message}`);
      });
      const copy = staging.getMappedRange().slice(0) as ArrayBuffer;
      this.expectAlive(`read "${tensor.name}"`);
      return hostView(tensor.dtype, copy, 0, tensor.size);
    } finally {
      staging.destroy();
    }
  }

  async prepare(launches: readonly Launch[]): Promise<Prepared> {
    this.expectAlive("record");
    const plans = launches.map((launch) => launch.plan(this.capabilities));
    const pipelines = await Promise.all(
      plans.map((plan, index) =>
        this.pipelines.get(plan.program, launches[index].reads.length, launches[index].writes.length),
      ),
    );
    const params = this.uploadParams(plans.map((plan) => encodeParams(plan.params)));
    const dispatches = launches.map((launch, index): Dispatch => {
      const [x, y, z] = plans[index].grid;
      const limit = this.gpu.limits.maxComputeWorkgroupsPerDimension;
      if (Math.max(x, y, z) > limit || Math.min(x, y, z) < 1) {
        throw new DeviceError(`${plans[index].program.name}: grid ${x} × ${y} × ${z}; each has to be 1 to ${limit}`);
      }
      const bindGroup = this.bind(launch, pipelines[index], params.buffer, params.offsets[index], params.sizes[index]);
      return { pipeline: pipelines[index].pipeline, bindGroup, x, y, z };
    });
    this.expectAlive("record");
    return {
      run: (times) => {
        this.encode(dispatches, times);
      },
      dispose: () => {
        params.buffer.destroy();
        if (!this.destroyed) this.counter.freed(params.buffer.size);
      },
    };
  }

  private encode(dispatches: readonly Dispatch[], times: number): void {
    this.expectAlive("run");
    const encoder = this.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let time = 0; time < times; time++) {
      for (const { pipeline, bindGroup, x, y, z } of dispatches) {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, bindGroup);
        pass.dispatchWorkgroups(x, y, z);
      }
    }
    pass.end();
    this.gpu.queue.submit([encoder.finish()]);
    this.counter.submits++;
    this.counter.dispatches += times * dispatches.length;
  }

  private bind(launch: Launch, pipeline: Pipeline, params: GPUBuffer, offset: number, size: number): GPUBindGroup {
    const written = new Set(launch.writes.map((tensor) => tensor.storage));
    for (const tensor of launch.reads) {
      if (written.has(tensor.storage)) {
        throw new DeviceError(
          `${launch.kernel}: "${tensor.name}" shares a buffer with an output; ` +
            `a kernel cannot read and write one buffer through two bindings`,
        );
      }
    }
    const entries: GPUBindGroupEntry[] = [{ binding: 0, resource: { buffer: params, offset, size } }];
    for (const tensor of [...launch.reads, ...launch.writes]) {
      const buffer = (tensor.storage as GpuStorage).buffer;
      entries.push({ binding: entries.length, resource: { buffer, offset: tensor.byteOffset, size: tensor.bytes } });
    }
    this.counter.bindGroupsCreated++;
    return this.gpu.createBindGroup({ label: launch.kernel, layout: pipeline.layout, entries });
  }

  /** One uniform buffer for all launches of a recording. */
  private uploadParams(contents: ArrayBuffer[]): { buffer: GPUBuffer; offsets: number[]; sizes: number[] } {
    const alignment = this.gpu.limits.minUniformBufferOffsetAlignment;
    const offsets: number[] = [];
    let bytes = 0;
    for (const content of contents) {
      offsets.push(bytes);
      bytes += Math.ceil(content.byteLength / alignment) * alignment;
    }
    const buffer = this.gpu.createBuffer({
      label: "params",
      size: Math.max(bytes, 16),
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
      mappedAtCreation: true,
    });
    const mapped = new Uint8Array(buffer.getMappedRange());
    for (const [index, content] of contents.entries()) mapped.set(new Uint8Array(content), offsets[index]);
    buffer.unmap();
    this.counter.allocated(buffer.size);
    return { buffer, offsets, sizes: contents.map((content) => content.byteLength) };
  }

  async finish(expectedMilliseconds = 0): Promise<void> {
    this.expectAlive("finish");
    if (expectedMilliseconds * SLEPT >= 1) await sleep(expectedMilliseconds * SLEPT);
    await this.gpu.queue.onSubmittedWorkDone();
    this.expectAlive("finish");
  }

  stats(): DeviceStats {
    return this.counter.snapshot();
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.gpu.destroy();
  }

  private expectAlive(action: string): void {
    if (this.failure !== undefined) throw new DeviceError(`${this.info.adapter}: ${this.failure}`);
    if (this.destroyed) throw new DisposedError(`${action}: the WebGPU device was destroyed; open another`);
  }
}
