import type { AdamNumbers, SgdNumbers } from "./contract.js";

function rateAt(rates: Float32Array, counter: Uint32Array): number {
  return rates[Math.min(counter[0], rates.length - 1)];
}

/**
 * Defines sgd, with PyTorch's formulas (torch.optim.SGD, dampening 0): g += weightDecay · p;
 * velocity = momentum · velocity + g; p −= rate · (nesterov ? g + momentum · velocity : velocity).
 */
export function sgdReference(
  parameters: Float32Array,
  gradients: Float32Array,
  velocity: Float32Array,
  rates: Float32Array,
  counter: Uint32Array,
  { momentum, weightDecay, nesterov }: SgdNumbers,
): void {
  const rate = rateAt(rates, counter);
  for (let i = 0; i < parameters.length; i++) {
    const gradient = gradients[i] + weightDecay * parameters[i];
    const speed = momentum * velocity[i] + gradient;
    velocity[i] = speed;
    parameters[i] -= rate * (nesterov ? gradient + momentum * speed : speed);
  }
}

/**
 * Defines adam, with PyTorch's formulas (torch.optim.Adam) and t = counter − start + 1: g += weightDecay · p;
 * mean += (1 − beta1) · (g − mean); variance += (1 − beta2) · (g² − variance);
 * p −= rate · (mean / (1 − beta1^t)) / (√(variance / (1 − beta2^t)) + epsilon).
 */
export function adamReference(
  parameters: Float32Array,
  gradients: Float32Array,
  mean: Float32Array,
  variance: Float32Array,
  rates: Float32Array,
  counter: Uint32Array,
  start: Uint32Array,
  { beta1, beta2, epsilon, weightDecay }: AdamNumbers,
): void {
  const rate = rateAt(rates, counter);
  const t = counter[0] - start[0] + 1;
  const meanCorrection = 1 - beta1 ** t;
  const varianceCorrection = 1 - beta2 ** t;
  for (let i = 0; i < parameters.length; i++) {
    const gradient = gradients[i] + weightDecay * parameters[i];
    const newMean = mean[i] + (1 - beta1) * (gradient - mean[i]);
    const newVariance = variance[i] + (1 - beta2) * (gradient * gradient - variance[i]);
    mean[i] = newMean;
    variance[i] = newVariance;
    parameters[i] -= (rate * newMean) / meanCorrection / (Math.sqrt(newVariance / varianceCorrection) + epsilon);
  }
}

/**
 * Defines averageParameters: average = parameters at step `start`, and average += (parameters − average) / k at the k-th
 * step from there; nothing before.
 */
export function averageReference(
  parameters: Float32Array,
  average: Float32Array,
  start: Uint32Array,
  counter: Uint32Array,
): void {
  const [step, from] = [counter[0], start[0]];
  if (step < from) return;
  const k = step - from + 1;
  for (let i = 0; i < parameters.length; i++) {
    average[i] = k === 1 ? parameters[i] : average[i] + (parameters[i] - average[i]) / k;
  }
}
