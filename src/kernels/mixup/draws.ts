import { philox4x32, RandomStream } from "../../tensor/random.js";

/** How one image of one step is augmented. */
export interface AugmentDraw {
  /** Pixels from an output's row to the input's, −crop to crop; the rows that enter are black. */
  readonly shiftY: number;
  /** The same of columns. */
  readonly shiftX: number;
  /** Whether left and right are exchanged, after the shift. */
  readonly flip: boolean;
}

/**
 * The augmentation of batch element `element` at `step`: shifts uniform in −crop … crop, flipped with probability ½
 * where `flip`. The same numbers as the device draws.
 */
export function drawAugment(element: number, step: number, seed: number, crop: number, flip: boolean): AugmentDraw {
  const words = philox4x32([element, step, RandomStream.augment, 0], [seed, 0]);
  const shifts = 2 * crop + 1;
  return {
    shiftY: (words[0] % shifts) - crop,
    shiftX: (words[1] % shifts) - crop,
    flip: flip && words[2] >>> 31 === 1,
  };
}

/**
 * Index of the one λ, of a grid of `lambdas`, at which a candidate of the pool is blended where only one blend a pair
 * is scored: uniform, fixed by the seed and the candidate's number. The same number as the device draws.
 */
export function drawLambda(candidate: number, seed: number, lambdas: number): number {
  return philox4x32([candidate, 0, RandomStream.lambda, 0], [seed, 0])[0] % lambdas;
}
