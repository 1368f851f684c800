import { hostArray, type Device, type Launch, type Tensor } from "../../src/tensor/index.js";
import { linearGrid } from "../../src/kernels/grid.js";
import copySource from "./copy.wgsl?raw";
import multiplyAddSource from "./multiply-add.wgsl?raw";

/** Multiply-adds that an invocation does in a round: 12 chains of 16. */
const MULTIPLY_ADDS = 12 * 16;

/** How much the ceilings' kernels work through: enough for the adapter to show what it can. */
export interface CeilingSizes {
  /** f32 numbers that are copied: a multiple of 4, too many for any cache. */
  readonly copied: number;
  /** Invocations of the multiply-adds: a multiple of 64, enough to occupy the whole device. */
  readonly invocations: number;
  readonly rounds: number;
}

/** Sizes for the device: 64 MiB and some milliseconds on a software driver, 256 MiB and more of both on hardware. */
export function ceilingSizes({ info, capabilities }: Device): CeilingSizes {
  if (info.software) return { copied: 2 ** 24, invocations: 4096, rounds: 512 };
  return { copied: Math.min(2 ** 26, capabilities.bindingBytes / 4), invocations: 2 ** 20, rounds: 64 };
}

/** Bytes that {@link copyLaunch} moves: each number is read and written. */
export function copyBytes({ copied }: CeilingSizes): number {
  return 2 * 4 * copied;
}

/** Floating-point operations of {@link multiplyAddLaunch}, a multiply-add counted as two. */
export function multiplyAddFlops({ invocations, rounds }: CeilingSizes): number {
  return 2 * invocations * rounds * MULTIPLY_ADDS;
}

/** out = x; both f32 of one size, a multiple of 4. */
export function copyLaunch(x: Tensor<"f32">, out: Tensor<"f32">): Launch {
  return {
    kernel: "copy ceiling",
    reads: [x],
    writes: [out],
    reference: () => {
      hostArray(out).set(hostArray(x));
    },
    plan: ({ software }) => {
      const constants = { WORKGROUP: software ? 64 : 256, RUN: software ? 8 : 4 };
      return {
        program: { name: "bench/copy", source: [copySource], constants },
        params: [out.size / 4],
        grid: linearGrid(out.size / 4, constants.WORKGROUP * constants.RUN),
      };
    },
  };
}

/**
 * out[i] = the sum of the ends of twelve chains of 16 · `rounds` multiply-adds y ← y · factor + addend, which start at
 * 12 · (i mod 1024) and the eleven numbers after it. `out` is f32 of at most 4,194,240 elements, a multiple of 64.
 */
export function multiplyAddLaunch(out: Tensor<"f32">, rounds: number, factor: number, addend: number): Launch {
  return {
    kernel: "multiply-add ceiling",
    reads: [],
    writes: [out],
    reference: () => {
      const values = hostArray(out);
      for (let index = 0; index < values.length; index++) {
        let sum = 0;
        for (let chain = 0; chain < 12; chain++) {
          let y = 12 * (index % 1024) + chain;
          for (let step = 0; step < 16 * rounds; step++) y = Math.fround(y * factor + addend);
          sum += y;
        }
        values[index] = sum;
      }
    },
    plan: () => ({
      program: { name: "bench/multiply-add", source: [multiplyAddSource], constants: { WORKGROUP: 64 } },
      params: [rounds, { f32: factor }, { f32: addend }],
      grid: [out.size / 64, 1, 1],
    }),
  };
}
