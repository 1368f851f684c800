import { philox4x32, RandomStream, unitFloat } from "../../tensor/random.js";

/** Defines relu: x where x > 0, else 0; NaN stays NaN. */
export function reluReference(x: Float32Array, out: Float32Array): void {
  for (let index = 0; index < out.length; index++) out[index] = x[index] <= 0 ? 0 : x[index];
}

/** Defines relu's gradient: dOut where out > 0, else 0. */
export function reluBackwardReference(out: Float32Array, dOut: Float32Array, dX: Float32Array): void {
  for (let index = 0; index < dX.length; index++) dX[index] = out[index] > 0 ? dOut[index] : 0;
}

/** Defines add: a + b, followed by relu where asked. */
export function addReference(a: Float32Array, b: Float32Array, out: Float32Array, relu: boolean): void {
  for (let index = 0; index < out.length; index++) {
    const value = a[index] + b[index];
    out[index] = relu && value <= 0 ? 0 : value;
  }
}

/** Defines dropout: x · scale where the element's random number is at least `rate`, else 0. */
export function dropoutReference(
  x: Float32Array,
  out: Float32Array,
  { rate, scale, seed, step, salt }: { rate: number; scale: number; seed: number; step: number; salt: number },
): void {
  const threshold = Math.fround(rate);
  for (let first = 0; first < out.length; first += 4) {
    const words = philox4x32([first / 4, step, RandomStream.dropout, salt], [seed, 0]);
    const end = Math.min(first + 4, out.length);
    for (let index = first; index < end; index++) {
      out[index] = unitFloat(words[index - first]) >= threshold ? x[index] * scale : 0;
    }
  }
}
