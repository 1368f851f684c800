import { InputError, ShapeError } from "../../errors.js";
import { expectRank, expectShape, formatShape, type Shape } from "../../tensor/shape.js";
import { expectDType, type Tensor } from "../../tensor/tensor.js";
import { expectCounter, expectUint32 } from "../expect.js";

/**
 * What is made of a row of logits, by p, its softmax, always so that the lowest is the most wanted. `confidence`: the
 * largest p, in (0, 1] (Lewis and Gale, arXiv cmp-lg/9407020). `margin`: the largest less the second largest, in [0, 1]
 * (Scheffer, Decomain, Wrobel, IDA 2001). `entropy`: Σ p · ln p, in [−ln K, 0] nats (Shannon's, negated).
 */
export type ScoreName = "confidence" | "margin" | "entropy";

/** All of {@link ScoreName}. */
export const scoreNames: readonly ScoreName[] = ["confidence", "margin", "entropy"];

/** The table of a pool that candidates are scored into. */
export interface ScoreTable {
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

/** Makes choosing the k lowest a draw of k by chance. */
export interface ScoreNoise {
  readonly seed: number;
  /** Which draw this is, u32 [1]: the round. */
  readonly counter: Tensor<"u32">;
}

/** The table of a pool, and which score goes into it. */
export interface ScorePairsOptions extends ScoreTable {
  /** "confidence" where absent. */
  readonly score?: ScoreName | undefined;
  /** With "confidence" alone. */
  readonly noise?: ScoreNoise | undefined;
}

/**
 * What several members say of rows, added up: of each row the sum of the members' probabilities and, behind them, of
 * their entropies in nats.
 */
export interface Belief {
  /** f32 [rows, K + 1]. */
  readonly sums: Tensor<"f32">;
  /** How many were added. */
  readonly members: number;
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
  const { score = "confidence", noise } = options;
  expectRank(operation, "logits", logits.shape, "P·L K");
  expectDType(operation, "logits", logits, "f32");
  if (!scoreNames.includes(score)) {
    throw new InputError(`${operation}: score is "${score}"; expected one of ${scoreNames.join(", ")}`);
  }
  if (noise) {
    if (score !== "confidence") {
      throw new InputError(`${operation}: noise with score "${score}"; expected "confidence", which it is defined for`);
    }
    expectUint32(operation, "the noise's seed", noise.seed);
    expectCounter(operation, noise.counter);
  }
  return tableSizes(operation, "logits", logits.shape, logits.shape[1], options);
}

/**
 * Sizes of a batch that members' beliefs were added up for.
 * @throws what scoreBelief throws.
 */
export function beliefSizes({ sums, members }: Belief, table: ScoreTable): PairSizes {
  const operation = "scoreBelief";
  expectRank(operation, "sums", sums.shape, "P·L K+1");
  expectDType(operation, "sums", sums, "f32");
  const classes = sums.shape[1] - 1;
  if (classes < 1) throw new ShapeError(`${operation}: sums is ${formatShape(sums.shape)}; expected 2 columns or more`);
  if (!Number.isInteger(members) || members < 2) {
    throw new InputError(`${operation}: members is ${members}; expected 2 or more, one alone cannot disagree`);
  }
  return tableSizes(operation, "sums", sums.shape, classes, table);
}

/**
 * Sizes of the logits [rows, K] that are added to a belief.
 * @throws what addBelief throws.
 */
export function memberSizes(logits: Tensor, belief?: Belief): { rows: number; classes: number } {
  const operation = "addBelief";
  expectRank(operation, "logits", logits.shape, "rows K");
  expectDType(operation, "logits", logits, "f32");
  const [rows, classes] = logits.shape;
  if (belief) {
    expectShape(operation, "sums", belief.sums.shape, [rows, classes + 1]);
    expectDType(operation, "sums", belief.sums, "f32");
  }
  return { rows, classes };
}

/** Requires the table to fit rows of shape `shape`, all λ of a candidate next to each other. */
function tableSizes(operation: string, what: string, shape: Shape, classes: number, table: ScoreTable): PairSizes {
  const { counter, taken, scores, choices, lambdas, single } = table;
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
  const [rows] = shape;
  if (rows % perPair !== 0) {
    throw new ShapeError(
      `${operation}: ${what} are ${formatShape(shape)}; expected a multiple of ${perPair} rows, one for each λ`,
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
