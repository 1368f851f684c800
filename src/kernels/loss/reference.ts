import type { ScoreSizes } from "./contract.js";

/**
 * Largest logit of a row and ln Σ_k exp((logit_k − largest) / temperature): both finite unless the row holds NaN or +∞
 * or only −∞.
 */
function logSumExp(
  logits: Float32Array,
  start: number,
  classes: number,
  temperature = 1,
): { largest: number; logSum: number } {
  let largest = logits[start];
  for (let k = 1; k < classes; k++) if (logits[start + k] > largest) largest = logits[start + k];
  let sum = 0;
  for (let k = 0; k < classes; k++) sum += Math.exp((logits[start + k] - largest) / temperature);
  return { largest, logSum: Math.log(sum) };
}

/** Defines softmax: out[b, k] = exp(logits[b, k]) / Σ_j exp(logits[b, j]). */
export function softmaxReference(logits: Float32Array, out: Float32Array, { rows, classes }: ScoreSizes): void {
  for (let start = 0; start < rows * classes; start += classes) {
    const { largest, logSum } = logSumExp(logits, start, classes);
    for (let i = start; i < start + classes; i++) out[i] = Math.exp(logits[i] - largest - logSum);
  }
}

/**
 * Defines softmaxCrossEntropy: losses[b] = −T² · Σ_k t[b, k] · ln p[b, k] over the targets that are not 0, with p the
 * softmax of logits / T; gradient[b, k] = T · (p[b, k] · Σ_j t[b, j] − t[b, k]) / B.
 */
export function softmaxCrossEntropyReference(
  logits: Float32Array,
  targets: Float32Array,
  losses: Float32Array,
  gradient: Float32Array,
  { rows, classes }: ScoreSizes,
  temperature = 1,
): void {
  for (let b = 0; b < rows; b++) {
    const start = b * classes;
    const { largest, logSum } = logSumExp(logits, start, classes, temperature);
    let loss = 0;
    let mass = 0;
    for (let i = start; i < start + classes; i++) {
      if (targets[i] !== 0) loss += targets[i] * (logSum - (logits[i] - largest) / temperature);
      mass += targets[i];
    }
    losses[b] = temperature ** 2 * loss;
    for (let i = start; i < start + classes; i++) {
      const probability = Math.exp((logits[i] - largest) / temperature - logSum);
      gradient[i] = (temperature * (probability * mass - targets[i])) / rows;
    }
  }
}

/** Defines accumulateMean: total[0] += Σ_b values[b] / B. */
export function accumulateMeanReference(values: Float32Array, total: Float32Array): void {
  let sum = 0;
  for (let b = 0; b < values.length; b++) sum += values[b];
  total[0] += sum / values.length;
}

/** Defines argmax: the first k with the largest x[b, k]; a NaN counts as larger than any number. */
export function argmaxReference(x: Float32Array, out: Uint32Array, { rows, classes }: ScoreSizes): void {
  for (let b = 0; b < rows; b++) {
    const start = b * classes;
    let best = 0;
    for (let k = 0; k < classes && !Number.isNaN(x[start + best]); k++) {
      if (x[start + k] > x[start + best] || Number.isNaN(x[start + k])) best = k;
    }
    out[b] = best;
  }
}

/** Defines countEqual: total[0] += the number of b with a[b] = other[b], modulo 2^32. */
export function countEqualReference(a: Uint32Array, other: Uint32Array, total: Uint32Array): void {
  let count = 0;
  for (let i = 0; i < a.length; i++) if (a[i] === other[i]) count++;
  total[0] += count;
}
