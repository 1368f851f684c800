import { DeviceError, DisposedError } from "../../errors.js";
import type { Capabilities, Device, DeviceInfo, DeviceStats, Prepared, Storage, TunedVariants } from "../device.js";
import { hostView, setValues, storageBytes, valuesOf, type DType, type ValueArrays } from "../dtype.js";
import type { GpuPlan, Launch } from "../launch.js";
import type { Problem } from "../problem.js";
import { StatsCounter } from "../stats.js";
import type { Tensor } from "../tensor.js";
import { describeError, withErrorScope } from "./error-scope.js";
import { encodeParams } from "./params.js";
import { PipelineCache, type Pipeline } from "./pipelines.js";
import type { Wait } from "./wait.js";

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
  private onTunedFailure: ((message: string) => void) | undefined;

  constructor(
    /** Held because Dawn's device does not outlive the entry that it came from. */
    readonly entry: GPU,
    private readonly gpu: GPUDevice,
    readonly info: DeviceInfo,
    /** Replaced where the tuned variants change. */
    public capabilities: Capabilities,
    private readonly poison: boolean,
    private readonly wait: Wait,
  ) {
    this.pipelines = new PipelineCache(gpu, this.counter, wait);
    gpu.addEventListener("uncapturederror", (event) => {
      this.failure ??= describeError((event as GPUUncapturedErrorEvent).error);
    });
    void gpu.lost.then(({ reason, message }) => {
      if (!this.destroyed) this.failure ??= `the device was lost (${reason}): ${message}`;
    });
  }

  allocate(bytes: number, name: string): Storage {
    this.expectAlive(`allocate "${name}"`);
    if (bytes > this.capabilities.bufferBytes) {
      throw new DeviceError(
        `"${name}" needs ${bytes} bytes; a buffer of ${this.info.adapter} has at most ` +
          `${this.capabilities.bufferBytes}: use a smaller batch or fewer images`,
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
    const staged = new ArrayBuffer(storageBytes(tensor.dtype, data.length));
    setValues(tensor.dtype, hostView(tensor.dtype, staged, 0, data.length), data);
    this.gpu.queue.writeBuffer((tensor.storage as GpuStorage).buffer, tensor.storageOffset, staged);
  }

  async read<D extends DType>(tensor: Tensor<D>): Promise<ValueArrays[D]> {
    this.expectAlive(`read "${tensor.name}"`);
    this.counter.reads++;
    const { bytes } = tensor;
    const staging = this.gpu.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    try {
      const encoder = this.gpu.createCommandEncoder();
      encoder.copyBufferToBuffer((tensor.storage as GpuStorage).buffer, tensor.storageOffset, staging, 0, bytes);
      this.gpu.queue.submit([encoder.finish()]);
      await this.wait(staging.mapAsync(GPUMapMode.READ)).catch((error: unknown) => {
        throw new DeviceError(this.failure ?? `read "${tensor.name}": ${(error as Error).message}`);
      });
      const copy = staging.getMappedRange().slice(0) as ArrayBuffer;
      this.expectAlive(`read "${tensor.name}"`);
      return valuesOf(tensor.dtype, hostView(tensor.dtype, copy, 0, tensor.size));
    } finally {
      staging.destroy();
    }
  }

  async prepare(launches: readonly Launch[]): Promise<Prepared> {
    this.expectAlive("record");
    const compiled = await Promise.all(launches.map((launch) => this.compile(launch)));
    this.expectAlive("record");
    const params = this.uploadParams(compiled.map(({ plan }) => encodeParams(plan.params)));
    const dispose = () => {
      params.buffer.destroy();
      if (!this.destroyed) this.counter.freed(params.buffer.size);
    };
    try {
      const dispatches = await withErrorScope(this.gpu, () => {
        const bound = launches.map((launch, index): Dispatch => {
          const { plan, pipeline } = compiled[index];
          const [x, y, z] = plan.grid;
          const binding = { buffer: params.buffer, offset: params.offsets[index], size: params.sizes[index] };
          return { pipeline: pipeline.pipeline, bindGroup: this.bind(launch, pipeline, binding), x, y, z };
        });
        // Never submitted: what a launch cannot be run with is told here, and not by a device that is lost by it.
        this.commands(bound, 1);
        return bound;
      });
      this.expectAlive("record");
      return {
        run: (times) => {
          this.encode(dispatches, times);
        },
        dispose,
      };
    } catch (error) {
      dispose();
      throw error;
    }
  }

  /** Plans and compiles a launch; a tuned variant that fails is dropped. */
  private async compile(launch: Launch): Promise<{ plan: GpuPlan; pipeline: Pipeline }> {
    try {
      const plan = launch.plan(this.capabilities);
      this.checkGrid(plan);
      return { plan, pipeline: await this.pipelines.get(plan.program, launch.reads.length, launch.writes.length) };
    } catch (error) {
      if (launch.problem && error instanceof DeviceError) this.dropTuned(launch.problem, error);
      throw error;
    }
  }

  private checkGrid({ program, grid }: GpuPlan): void {
    const limit = this.gpu.limits.maxComputeWorkgroupsPerDimension;
    if (!grid.every((groups) => Number.isInteger(groups) && groups >= 1 && groups <= limit)) {
      throw new DeviceError(
        `${program.name}: grid ${grid.join(" × ")}; each has to be a whole number from 1 to ${limit}`,
      );
    }
  }

  useTuned(tuned: TunedVariants, onFailure?: (message: string) => void): void {
    this.expectAlive("useTuned");
    this.capabilities = { ...this.capabilities, tuned };
    this.onTunedFailure = onFailure;
  }

  private dropTuned({ key, candidates }: Problem, { message }: DeviceError): void {
    const { [key]: variant, ...others } = this.capabilities.tuned;
    // One that is no candidate, as of another release, was not what ran.
    if (!candidates.includes(variant)) return;
    this.capabilities = { ...this.capabilities, tuned: others };
    const [reason] = message.split("\n");
    this.onTunedFailure?.(`the tuned variant "${variant}" of ${key} fails and is passed over: ${reason}`);
  }

  private encode(dispatches: readonly Dispatch[], times: number): void {
    this.expectAlive("run");
    this.gpu.queue.submit([this.commands(dispatches, times)]);
    this.counter.submits++;
    this.counter.dispatches += times * dispatches.length;
  }

  private commands(dispatches: readonly Dispatch[], times: number): GPUCommandBuffer {
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
    return encoder.finish();
  }

  private bind(launch: Launch, pipeline: Pipeline, params: GPUBufferBinding): GPUBindGroup {
    const entries: GPUBindGroupEntry[] = [{ binding: 0, resource: params }];
    for (const tensor of [...launch.reads, ...launch.writes]) {
      const buffer = (tensor.storage as GpuStorage).buffer;
      const { offsetAlignment, bindingBytes } = this.capabilities;
      if (tensor.bytes > bindingBytes) {
        throw new DeviceError(
          `${launch.kernel}: "${tensor.name}" has ${tensor.bytes} bytes; ${this.info.adapter} binds at most ` +
            `${bindingBytes}: use a smaller batch or fewer images`,
        );
      }
      if (tensor.byteOffset % offsetAlignment !== 0) {
        throw new DeviceError(
          `${launch.kernel}: "${tensor.name}" starts at byte ${tensor.byteOffset} of its buffer; ` +
            `kernels take parts that start at a multiple of ${offsetAlignment}`,
        );
      }
      entries.push({ binding: entries.length, resource: { buffer, offset: tensor.storageOffset, size: tensor.bytes } });
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

  async finish(): Promise<void> {
    this.expectAlive("finish");
    await this.wait(this.gpu.queue.onSubmittedWorkDone());
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
