import { InputError } from "../../errors.js";
import type { Tensor } from "../../tensor/tensor.js";

/** What decides which elements a dropout drops: the same options give the same elements, forward and backward. */
export interface DropoutOptions {
  /** Share of elements that become 0, from 0 up to but not including 1. */
  rate: number;
  /** The run's seed, a whole number from 0 to 2^32 − 1. */
  seed: number;
  /** The step's number, in device memory: each step drops other elements. */
  counter: Tensor<"u32">;
  /** Tells the dropouts of a network apart, a whole number from 0 to 2^32 − 1. */
  salt: number;
}

/**
 * The factor of the elements that stay, 1 / (1 − rate), so that the mean stays.
 * @throws InputError where the rate is not in [0, 1).
 */
export function dropoutScale(rate: number): number {
  if (!(rate >= 0 && rate < 1)) {
    throw new InputError(`dropout: rate is ${rate}; expected 0 or more and less than 1`);
  }
  return Math.fround(1 / (1 - rate));
}
