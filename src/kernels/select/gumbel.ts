import { philox4x32, RandomStream } from "../../tensor/random.js";

/**
 * A Gumbel(0, 1) number from 32 random bits: −ln(−ln(1 − v)) with v uniform in (0, 1). The large ones, which decide what
 * is drawn, come from small v, where a number holds the most digits; the largest is 22.9, the smallest −3.1.
 */
export function gumbel(word: number): number {
  return -Math.log(-Math.log1p(-(word + 0.5) / 0x100000000));
}

/** The noise of a candidate in a round: but for rounding the number that the device draws. */
export function drawGumbel(candidate: number, round: number, seed: number): number {
  return gumbel(philox4x32([candidate, round, RandomStream.gumbel, 0], [seed, 0])[0]);
}
