import { floatToHalf, halfToFloat } from "../../tensor/half.js";

/** Defines toHalf: the bits of the f16 nearest to each element. */
export function toHalfReference(x: Float32Array, out: Uint16Array): void {
  for (let index = 0; index < out.length; index++) out[index] = floatToHalf(x[index]);
}

/** Defines toFloat: each element's value. */
export function toFloatReference(x: Uint16Array, out: Float32Array): void {
  for (let index = 0; index < out.length; index++) out[index] = halfToFloat(x[index]);
}
