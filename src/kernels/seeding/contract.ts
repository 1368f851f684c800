import { ShapeError } from "../../errors.js";
import { expectRank, expectShape, formatShape, type Shape } from "../../tensor/shape.js";
import { expectDType, type Tensor } from "../../tensor/tensor.js";
import { expectCounter, expectUint32 } from "../expect.js";

/** Sizes of the gradient embeddings of m candidates. */
export interface EmbeddingSizes {
  /** m. */
  readonly candidates: number;
  /** K. */
  readonly classes: number;
  /** F. */
  readonly features: number;
}

/** Candidates that one vector of the device holds. */
export const VECTOR = 4;

/**
 * Shape of the embeddings of `candidates` candidates, [K + F + 1, M] with M the candidates rounded up to whole vectors
 * of four: a column a candidate, so that neighbours read neighbouring words. A column holds a candidate's probabilities
 * less its most likely class (K), its features (F), and its squared norm.
 */
export function embeddingShape({ candidates, classes, features }: EmbeddingSizes): Shape {
  return [classes + features + 1, Math.ceil(candidates / VECTOR) * VECTOR];
}

/** Where embedGradients writes. */
export interface EmbedGradientsOptions {
  /** Which batch of the candidates, u32 [1]: candidates from counter · B on. */
  readonly counter: Tensor<"u32">;
  /** m; what lies beyond in the last batch is left out. */
  readonly candidates: number;
  /** Takes the embeddings, of {@link embeddingShape}. */
  readonly embeddings: Tensor<"f32">;
}

/**
 * Sizes of a batch of B rows of logits [B, K] and features [B, F].
 * @throws what embedGradients throws.
 */
export function embedSizes(
  logits: Tensor,
  features: Tensor,
  { counter, candidates, embeddings }: EmbedGradientsOptions,
): EmbeddingSizes & { readonly batch: number } {
  const operation = "embedGradients";
  expectRank(operation, "logits", logits.shape, "B K");
  expectRank(operation, "features", features.shape, "B F");
  const [batch, classes] = logits.shape;
  expectShape(operation, "features", features.shape, [batch, features.shape[1]]);
  for (const [what, tensor] of Object.entries({ logits, features, embeddings })) {
    expectDType(operation, what, tensor, "f32");
  }
  expectCounter(operation, counter);
  expectCandidates(operation, candidates);
  const sizes = { candidates, classes, features: features.shape[1] };
  expectShape(operation, "embeddings", embeddings.shape, embeddingShape(sizes));
  return { ...sizes, batch };
}

/** What a pick of pickSeed reads and writes, beside the embeddings. */
export interface PickSeedOptions extends Pick<EmbeddingSizes, "candidates" | "classes"> {
  /** Seed of the random numbers. */
  readonly seed: number;
  /** Tells the random numbers of one choice from those of another, u32 [1]: the round. */
  readonly round: Tensor<"u32">;
  /** How many are chosen so far, u32 [1]: 0 before the first pick; each pick adds 1. */
  readonly counter: Tensor<"u32">;
  /** Takes the chosen candidates in the order of the picks, u32 [k]. */
  readonly chosen: Tensor<"u32">;
  /**
   * Kept from pick to pick, [M]: the squared distance to the nearest chosen candidate (the squared norm at the first
   * pick), −1 where the candidate was chosen, or is none.
   */
  readonly nearest: Tensor<"f32">;
  /** Kept from pick to pick, [K + F + 1]: the embedding of the candidate that was chosen last. */
  readonly centre: Tensor<"f32">;
}

/**
 * Sizes of the picks of `chosen` from `embeddings`.
 * @throws what pickSeed throws.
 */
export function pickSizes(
  embeddings: Tensor,
  { candidates, classes, seed, round, counter, chosen, nearest, centre }: PickSeedOptions,
): EmbeddingSizes & { readonly picks: number } {
  const operation = "pickSeed";
  expectRank(operation, "embeddings", embeddings.shape, "K+F+1 M");
  for (const [what, tensor] of Object.entries({ embeddings, nearest, centre })) {
    expectDType(operation, what, tensor, "f32");
  }
  expectCandidates(operation, candidates);
  const [rows, columns] = embeddings.shape;
  if (!Number.isInteger(classes) || classes < 1 || classes >= rows) {
    throw new ShapeError(
      `${operation}: classes is ${classes}; expected a whole number from 1 to ${rows - 1}, below the rows of embeddings`,
    );
  }
  const sizes = { candidates, classes, features: rows - classes - 1 };
  expectShape(operation, "embeddings", embeddings.shape, embeddingShape(sizes));
  expectShape(operation, "nearest", nearest.shape, [columns]);
  expectShape(operation, "centre", centre.shape, [rows]);
  expectCounter(operation, counter);
  expectShape(operation, "round", round.shape, [1]);
  expectRank(operation, "chosen", chosen.shape, "k");
  for (const [what, tensor] of Object.entries({ round, chosen })) expectDType(operation, what, tensor, "u32");
  if (chosen.size > candidates) {
    throw new ShapeError(
      `${operation}: chosen is ${formatShape(chosen.shape)}; expected at most ${candidates}, the number of candidates`,
    );
  }
  expectUint32(operation, "seed", seed);
  return { ...sizes, picks: chosen.size };
}

function expectCandidates(operation: string, candidates: number): void {
  if (!Number.isInteger(candidates) || candidates < 1) {
    throw new ShapeError(`${operation}: candidates is ${candidates}; expected a whole number from 1 up`);
  }
}
