import type { ChannelSizes } from "../reduce/channels.js";

/** Defines a channel's moments: its mean, and the sum of the squares of the elements' distances from it. */
export function momentsReference(
  x: Float32Array,
  means: Float32Array,
  squares: Float32Array,
  { samples, channels, positions }: ChannelSizes,
): void {
  for (let channel = 0; channel < channels; channel++) {
    let total = 0;
    for (let sample = 0; sample < samples; sample++) {
      const first = (sample * channels + channel) * positions;
      for (let index = first; index < first + positions; index++) total += x[index];
    }
    const mean = total / (samples * positions);
    let square = 0;
    for (let sample = 0; sample < samples; sample++) {
      const first = (sample * channels + channel) * positions;
      for (let index = first; index < first + positions; index++) square += (x[index] - mean) ** 2;
    }
    means[channel] = mean;
    squares[channel] = square;
  }
}

/** Tensors of the statistics, each [C]. */
export interface StatisticsArrays {
  readonly means: Float32Array;
  readonly squares: Float32Array;
  readonly mean: Float32Array;
  readonly inverseDeviation: Float32Array;
  readonly runningMean: Float32Array;
  readonly runningVariance: Float32Array;
}

/**
 * Defines what is made of the moments of `count` elements: mean, 1 / √(variance + epsilon) with the variance divided
 * by `count`, and running statistics moved by `momentum` towards the mean and the variance divided by `count` − 1.
 */
export function statisticsReference(arrays: StatisticsArrays, count: number, momentum: number, epsilon: number): void {
  const { means, squares, mean, inverseDeviation, runningMean, runningVariance } = arrays;
  for (let channel = 0; channel < mean.length; channel++) {
    mean[channel] = means[channel];
    inverseDeviation[channel] = 1 / Math.sqrt(squares[channel] / count + epsilon);
    runningMean[channel] += momentum * (means[channel] - runningMean[channel]);
    runningVariance[channel] += momentum * (squares[channel] / (count - 1) - runningVariance[channel]);
  }
}

/** Defines normalising: (x − mean[c]) · inverseDeviation[c] · gamma[c] + beta[c], followed by relu where asked. */
export function normaliseReference(
  x: Float32Array,
  mean: Float32Array,
  inverseDeviation: ArrayLike<number>,
  gamma: Float32Array,
  beta: Float32Array,
  out: Float32Array,
  { samples, channels, positions }: ChannelSizes,
  relu: boolean,
): void {
  for (let sample = 0; sample < samples; sample++) {
    for (let channel = 0; channel < channels; channel++) {
      const factor = inverseDeviation[channel] * gamma[channel];
      const first = (sample * channels + channel) * positions;
      for (let index = first; index < first + positions; index++) {
        const value = (x[index] - mean[channel]) * factor + beta[channel];
        out[index] = relu && value <= 0 ? 0 : value;
      }
    }
  }
}

/** What the gradients are made of: x and dOut by element, the others [C]. */
export interface GradientArrays {
  readonly x: Float32Array;
  readonly dOut: Float32Array;
  readonly mean: Float32Array;
  readonly inverseDeviation: Float32Array;
}

/** Defines the gradients by gamma, Σ dOut · x̂ with x̂ = (x − mean) · inverseDeviation, and by beta, Σ dOut. */
export function parameterGradientReference(
  { x, dOut, mean, inverseDeviation }: GradientArrays,
  gammaGradient: Float32Array,
  betaGradient: Float32Array,
  { samples, channels, positions }: ChannelSizes,
): void {
  for (let channel = 0; channel < channels; channel++) {
    let byGamma = 0;
    let byBeta = 0;
    for (let sample = 0; sample < samples; sample++) {
      const first = (sample * channels + channel) * positions;
      for (let index = first; index < first + positions; index++) {
        byGamma += dOut[index] * (x[index] - mean[channel]);
        byBeta += dOut[index];
      }
    }
    gammaGradient[channel] = byGamma * inverseDeviation[channel];
    betaGradient[channel] = byBeta;
  }
}

/**
 * Defines the gradient by x, through mean and variance too:
 * gamma · inverseDeviation · (dOut − (betaGradient + x̂ · gammaGradient) / (N · H · W)).
 */
export function inputGradientReference(
  { x, dOut, mean, inverseDeviation }: GradientArrays,
  gamma: Float32Array,
  gammaGradient: Float32Array,
  betaGradient: Float32Array,
  dX: Float32Array,
  { samples, channels, positions }: ChannelSizes,
): void {
  const count = samples * positions;
  for (let sample = 0; sample < samples; sample++) {
    for (let channel = 0; channel < channels; channel++) {
      const deviation = inverseDeviation[channel];
      const slope = (deviation * gammaGradient[channel]) / count;
      const first = (sample * channels + channel) * positions;
      for (let index = first; index < first + positions; index++) {
        const correction = betaGradient[channel] / count + (x[index] - mean[channel]) * slope;
        dX[index] = gamma[channel] * deviation * (dOut[index] - correction);
      }
    }
  }
}
