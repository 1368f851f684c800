import { expect } from "vitest";

export interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
}

/**
 * The tolerance of f32 kernels against their f64 reference, for values of about 1 and sums over `length` of them.
 * Stated here, once.
 */
export function f32Tolerance(length = 1): Tolerance {
  return { rtol: 1e-5, atol: 1e-6 + 1e-7 * length };
}

/** No difference at all: for copies, integers and bits. */
export const EXACT: Tolerance = { rtol: 0, atol: 0 };

/** Where only numbers below 2^-126 may differ: whether they stay or become 0 is the device's choice. */
export const SUBNORMAL: Tolerance = { rtol: 0, atol: 1e-37 };

/**
 * Of ln(1 − p) and Gumbel noise. WGSL allows logarithms of numbers near 1 an error of 2^-21 = 5e-7, elsewhere 3 ulp: three
 * of them of about 10, and differences of logits of up to 10, rounded by 5e-7.
 */
export const NOISY_SCORE: Tolerance = { rtol: 2e-6, atol: 5e-6 };

/**
 * Of one step of Adam from 0, relative to itself. WGSL allows divisions 2.5 ulp (3e-7 each, three of them), a square
 * root of about twice that, and exp 4 ulp, 7e-7 of 1 − exp(x) at x = −0.5: 3e-6 in all, with the roundings between.
 * Below the 7e-6 that 1 − beta2 would be wrong by were it made from beta2 in f32.
 */
export const ADAM_STEP: Tolerance = { rtol: 4e-6, atol: 0 };

/**
 * Of a softmax whose logits, up to 50, are shifted by 64: adding rounds them by 4e-6, and probabilities move by the sum
 * of two such errors, relative to themselves.
 */
export const SHIFTED_SOFTMAX: Tolerance = { rtol: 2e-5, atol: 1e-6 };

/**
 * Of (x − mean) · 1/√(variance + 1e-5) with x of about 1: rounding of mean and x, some 1e-7, is multiplied by up to
 * 1/√1e-5 = 316.
 */
export const NORMALISED: Tolerance = { rtol: 1e-5, atol: 1e-4 };

/**
 * Of 1/√(variance + 1e-5) with x of about 1. A deviation d is off by 1e-7, the variance by 2d · 1e-7: most, relative to
 * variance + 1e-5, at d = 0.003, where the result is off by 2e-5 of itself, and by a few times that where the mean is
 * off too.
 */
export const INVERSE_DEVIATION: Tolerance = { rtol: 1e-4, atol: 0 };

/**
 * Of the gradient of a linear or piecewise linear kernel against differences over steps of 0.01 and more: a result of
 * about 1, rounded by 6e-8, over 0.02 makes 3e-6; some ten to thirty of them are added.
 */
export const LINEAR_BY_DIFFERENCES: Tolerance = { rtol: 1e-4, atol: 1e-4 };

/** Of the gradient of the mean loss: as above, of three results; the third derivative times the step's square as much. */
export const LOSS_BY_DIFFERENCES: Tolerance = { rtol: 0, atol: 3e-5 };

/** Of the gradient of batch norm over few elements: its curvature times the step's square, beside rounding. */
export const NORM_BY_DIFFERENCES: Tolerance = { rtol: 1e-2, atol: 2e-3 };

/**
 * Of a network's gradient against differences over steps of 0.002; rtol is of its root mean square. Rounding makes
 * 6e-8 / 0.002 of each result, of which about a hundred are added, and curvature as much. A wrong gradient is wrong by
 * its own size.
 */
export const NETWORK_BY_DIFFERENCES: Tolerance = { rtol: 5e-3, atol: 1e-5 };

/** |actual − expected| ≤ atol + rtol·|expected|; NaN matches only NaN, an infinity only itself. */
function isClose(actual: number, expected: number, { rtol, atol }: Tolerance): boolean {
  if (Object.is(actual, expected) || actual === expected) return true;
  if (!Number.isFinite(actual) || !Number.isFinite(expected)) return false;
  return Math.abs(actual - expected) <= atol + rtol * Math.abs(expected);
}

/** Requires two arrays to be of one length and close element by element; a failure lists the first five and the worst. */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: Tolerance,
  what = "values",
): void {
  expect(actual.length, `${what}: length`).toBe(expected.length);
  const wrong: number[] = [];
  let worst = 0;
  for (let index = 0; index < expected.length; index++) {
    if (isClose(actual[index], expected[index], tolerance)) continue;
    wrong.push(index);
    if (!(errorAt(index) <= errorAt(worst))) worst = index;
  }
  if (wrong.length === 0) return;
  const line = (index: number) => `  [${index}] ${actual[index]}, expected ${expected[index]}`;
  expect.fail(
    [
      `${what}: ${wrong.length} of ${expected.length} differ (rtol ${tolerance.rtol}, atol ${tolerance.atol})`,
      ...wrong.slice(0, 5).map(line),
      `worst:${line(worst)}`,
    ].join("\n"),
  );

  function errorAt(index: number): number {
    return Math.abs(actual[index] - expected[index]);
  }
}
