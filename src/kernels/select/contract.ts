import { InputError, ShapeError } from "../../errors.js";
import { expectRank, expectShape, formatShape } from "../../tensor/shape.js";
import { expectDType, type Tensor } from "../../tensor/tensor.js";
import { expectCounter, expectUint32 } from "../expect.js";

export interface ScorePairsOptions {
  /** Which batch of the pool, u32 [1]: candidates from counter · P on. */
  readonly counter: Tensor<"u32">;
  /** 1 for candidates that are not to be chosen again, 0 for others, [pool]. */
  readonly taken: Tensor<"u32">;
  /** Takes the scores, [pool]: NaN for a taken candidate, +Infinity where the logits give NaN. */
  readonly scores: Tensor<"f32">;
  /** Takes the λ index at which each score is attained, [pool]. */
  readonly choices: Tensor<"u32">;
  /** L, the number of λ in the grid. */
  readonly lambdas: number;
  /** Each candidate was blended at one λ of the grid, drawn from this seed, and there is one row for it. */
  readonly single?: { readonly seed: number } | undefined;
}

/** Sizes of one batch of scoring. */
export interface PairSizes {
  /** P. */
  readonly batch: number;
  /** Rows of logits for each pair: L, or 1. */
  readonly perPair: number;
  /** K. */
  readonly classes: number;
  readonly pool: number;
}

/**
 * Sizes of a batch whose logits are [P·L, K].
 * @throws what scorePairs throws.
 */
export function pairSizes(logits: Tensor, options: ScorePairsOptions): PairSizes {
  const operation = "scorePairs";
  const { counter, taken, scores, choices, lambdas, single } = options;
  expectRank(operation, "logits", logits.shape, "P·L K");
  expectDType(operation, "logits", logits, "f32");
  expectCounter(operation, counter);
  expectRank(operation, "scores", scores.shape, "pool");
  expectDType(operation, "scores", scores, "f32");
  for (const [what, tensor] of Object.entries({ taken, choices })) {
    expectShape(operation, what, tensor.shape, scores.shape);
    expectDType(operation, what, tensor, "u32");
  }
  if (!Number.isInteger(lambdas) || lambdas < 1) {
    throw new ShapeError(`${operation}: lambdas is ${lambdas}; expected a whole number from 1 up`);
  }
  if (single) expectUint32(operation, "seed", single.seed);
  const perPair = single ? 1 : lambdas;
  const [rows, classes] = logits.shape;
  if (rows % perPair !== 0) {
    throw new ShapeError(
      `${operation}: logits are ${formatShape(logits.shape)}; expected a multiple of ${perPair} rows, one for each λ`,
    );
  }
  return { batch: rows / perPair, perPair, classes, pool: scores.shape[0] };
}

/**
 * Number of scores that `k` of them are selected from.
 * @throws what selectLowest throws.
 */
export function selectSize(scores: Tensor, k: number): number {
  expectRank("selectLowest", "scores", scores.shape, "N");
  expectDType("selectLowest", "scores", scores, "f32");
  const count = scores.shape[0];
  if (!Number.isInteger(k) || k < 1 || k > count) {
    throw new InputError(`selectLowest: k is ${k}; expected a whole number from 1 to ${count}, the number of scores`);
  }
  return count;
}
