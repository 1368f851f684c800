import type { DType, ValueArrays } from "./dtype.js";
import type { Launch } from "./launch.js";
import type { SubgroupMatrix } from "./subgroup-matrix/index.js";
import type { Tensor } from "./tensor.js";

/** A device's own piece of memory; only the device looks inside. */
export interface Storage {
  readonly bytes: number;
}

/** What a kernel's plan may depend on. */
export interface Capabilities {
  /** The adapter runs on the CPU (lavapipe, SwiftShader): large register tiles, no workgroup memory. */
  readonly software: boolean;
  readonly subgroups: boolean;
  /** Invocations in every subgroup; 0 without subgroups, or where the adapter varies their size. */
  readonly subgroupSize: number;
  readonly f16: boolean;
  /** Matrices of f16 that a subgroup multiplies at once (tensor cores), tried out; `undefined` where there are none. */
  readonly subgroupMatrix?: SubgroupMatrix | undefined;
  /** Bytes of workgroup memory. */
  readonly workgroupMemory: number;
  /** Invocations in one workgroup. */
  readonly workgroupInvocations: number;
  /** Bytes in one buffer. */
  readonly bufferBytes: number;
  /** Bytes of a buffer that a kernel takes as one tensor. */
  readonly bindingBytes: number;
  /** Bytes to which a view's offset is aligned. */
  readonly offsetAlignment: number;
  /**
   * The variant of a kernel that was measured to be the fastest on this device, by the key of the problem, which names
   * kernel and sizes: `matmul 64x10x84 nt`. Empty where nothing was measured.
   */
  readonly tuned: TunedVariants;
}

/** Names of variants by the problems' keys. */
export type TunedVariants = Readonly<Record<string, string>>;

/** Who does the work, for people and for `summary.json`. */
export interface DeviceInfo {
  readonly kind: "cpu" | "webgpu";
  /** For example `NVIDIA H100`, `llvmpipe …`, `CPU reference`. */
  readonly adapter: string;
  readonly vendor: string;
  readonly driver: string;
  /** What implements WebGPU, with its version: `Dawn (webgpu 0.6.2)`, a browser's user agent; empty on the CPU. */
  readonly implementation: string;
  /** Whether the work is done by the CPU. */
  readonly software: boolean;
  /** Dawn toggles in force; empty elsewhere. */
  readonly toggles: readonly string[];
  /** The subgroup matrices that are used, M × N × K, or `none`, and why. */
  readonly subgroupMatrix: string;
}

/** Counters since the device was opened; `live…` are as of now. */
export interface DeviceStats {
  readonly liveBuffers: number;
  readonly liveBytes: number;
  readonly peakBytes: number;
  readonly buffersCreated: number;
  readonly pipelinesCreated: number;
  readonly bindGroupsCreated: number;
  readonly submits: number;
  readonly dispatches: number;
  readonly reads: number;
}

/** A list of launches made ready to run again and again. */
export interface Prepared {
  /** Queues `times` runs of the list and returns at once (the CPU device has run them when it returns). */
  run(times: number): void;
  dispose(): void;
}

/** Where tensors live and kernels run. */
export interface Device {
  readonly info: DeviceInfo;
  readonly capabilities: Capabilities;
  /** Memory of arbitrary contents (NaN bits where the device was opened with `poison`). */
  allocate(bytes: number, name: string): Storage;
  free(storage: Storage): void;
  write(tensor: Tensor, data: ArrayLike<number>): void;
  read<D extends DType>(tensor: Tensor<D>): Promise<ValueArrays[D]>;
  /**
   * Compiles what is not compiled yet and binds every launch to its memory.
   * @throws DeviceError where a kernel does not compile or its launch is more than the device takes. Where a tuned
   * variant is at fault, it is no longer in `capabilities.tuned` then: recorded anew, the rule's variant runs.
   */
  prepare(launches: readonly Launch[]): Promise<Prepared>;
  /** Waits until all that is queued is done. */
  finish(): Promise<void>;
  /**
   * Takes the variants that were measured to be the fastest on this device: they run in what is recorded from now on,
   * in place of those of before.
   * @param onFailure told in a sentence of each that fails when it is recorded; the rule's variant runs instead
   */
  useTuned(tuned: TunedVariants, onFailure?: (message: string) => void): void;
  stats(): DeviceStats;
  /**
   * Frees everything. A second call does nothing; afterwards neither does `free`, `stats` tells what was counted, and
   * any other use throws DisposedError, or DeviceError where the device was lost before.
   */
  destroy(): void;
}
