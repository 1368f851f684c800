import type { Capabilities } from "./device.js";
import type { Problem } from "./problem.js";
import type { Tensor } from "./tensor.js";

/** WGSL source with the constants that are compiled in. Equal programs share one pipeline. */
export interface Program {
  /** Kernel and variant, for example `matmul/tiled-64x64`: the name that errors and profiles show. */
  readonly name: string;
  /**
   * Modules that are joined in order. `@group(0) @binding(0)` is the uniform `Params`; the launch's reads and then its
   * writes follow as bindings 1, 2, … The entry point is `main`.
   */
  readonly source: readonly string[];
  /** WGSL extensions, for example `subgroups`: become `enable …;` in front of all else. */
  readonly enables?: readonly string[];
  /** Become `const NAME = value;` in front of the source. */
  readonly constants?: Readonly<Record<string, number | boolean>>;
}

/** A floating-point member of a launch's parameters; plain numbers are unsigned integers. */
export interface FloatParam {
  readonly f32: number;
}

/** Workgroups along x, y and z. */
export type Grid = readonly [number, number, number];

/** How a kernel runs on a WebGPU device: chosen by a pure function of shapes and capabilities. */
export interface GpuPlan {
  readonly program: Program;
  /** Members of the WGSL struct `Params` in order, each 4 bytes. */
  readonly params: readonly (number | FloatParam)[];
  readonly grid: Grid;
}

/** One run of one kernel on given tensors: what a recording is made of. */
export interface Launch {
  readonly kernel: string;
  /**
   * What it is a part of, where its variant was chosen among those that tuning measures; absent where the caller forced
   * one, of kernels with but one, and of those of `matmulHalf`'s own.
   */
  readonly problem?: Problem | undefined;
  /** Tensors that are only read. */
  readonly reads: readonly Tensor[];
  /** Tensors that are written. Intermediates start with arbitrary contents, so each element must be written. */
  readonly writes: readonly Tensor[];
  /** Runs the CPU reference on the tensors' host memory. */
  reference(): void;
  /** Chooses the GPU program. It depends on nothing but shapes, options and `capabilities`. */
  plan(capabilities: Capabilities): GpuPlan;
}
