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

/**
 * Of a network's gradient against differences of f32 results over steps of 0.002; rtol is of its root mean square.
 * Rounding makes 6e-8 / 0.002 of each result, of which about a hundred are added, and curvature as much. A wrong
 * gradient is wrong by its own size.
 */
export const BY_DIFFERENCES: Tolerance = { rtol: 5e-3, atol: 1e-5 };

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
