import { halfToFloat } from "../../tensor/half.js";
import type { MatmulOptions, MatmulSizes } from "../matmul/contract.js";
import { matmulReference } from "../matmul/reference.js";

/** Defines matmulHalf: the product of the numbers that the bits of `a` and `b` stand for, summed in f64. */
export function matmulHalfReference(
  a: Uint16Array,
  b: Uint16Array,
  bias: Float32Array | undefined,
  c: Float32Array,
  sizes: MatmulSizes,
  options: MatmulOptions,
): void {
  matmulReference(Float32Array.from(a, halfToFloat), Float32Array.from(b, halfToFloat), bias, c, sizes, options);
}
