/** A quantity that was measured on a sample, with the interval that covers the true value in 95 of 100 samples. */
export interface Estimate {
  readonly value: number;
  /** Ends of the interval; absent where a sample of one tells no spread. */
  readonly low?: number;
  readonly high?: number;
}

/** Quantile of the normal distribution for intervals of 95%. */
const Z = 1.959964;

/** A share: `count` of `of`, with Wilson's score interval (1927), which stays within 0 and 1 and holds for few. */
export function estimateShare(count: number, of: number): Estimate {
  const value = count / of;
  const scale = 1 + Z ** 2 / of;
  const middle = (value + Z ** 2 / (2 * of)) / scale;
  const half = (Z / scale) * Math.sqrt((value * (1 - value)) / of + Z ** 2 / (4 * of ** 2));
  return { value, low: Math.min(value, Math.max(0, middle - half)), high: Math.max(value, Math.min(1, middle + half)) };
}

/**
 * A mean, with the interval of the normal distribution.
 * @param least no mean can be smaller: the interval ends there
 */
export function estimateMean(values: ArrayLike<number>, least = -Infinity): Estimate {
  const all = Array.from(values);
  const value = all.reduce((sum, one) => sum + one, 0) / all.length;
  if (all.length === 1) return { value };
  const squares = all.reduce((sum, one) => sum + (one - value) ** 2, 0);
  const half = Z * Math.sqrt(squares / (all.length - 1) / all.length);
  return { value, low: Math.min(value, Math.max(least, value - half)), high: value + half };
}
