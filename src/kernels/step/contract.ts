import { ShapeError } from "../../errors.js";
import type { Tensor } from "../../tensor/tensor.js";
import { expectCounter } from "../expect.js";

/** Counters that one launch takes. */
export const MOST_COUNTERS = 4;

/**
 * Requires 1 to 4 step counters.
 * @throws ShapeError where there are more or none, or one is not [1]; DTypeError where one is not u32.
 */
export function expectCounters(counters: readonly Tensor[]): void {
  if (counters.length < 1 || counters.length > MOST_COUNTERS) {
    throw new ShapeError(`advance: ${counters.length} counters; expected 1 to ${MOST_COUNTERS}`);
  }
  for (const counter of counters) expectCounter("advance", counter);
}
