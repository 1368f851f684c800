import { plainAdam, type Augmentation, type OptimizerOptions, type Schedule } from "../nn/index.js";
import type { WarpRanges } from "../kernels/index.js";
import type { BlendAt, CandidateKind } from "./candidates/index.js";
import { paperLambdas } from "./blend.js";
import { warpRanges } from "./warps.js";

/** All quantities of the method. */
export interface DistillOptions {
  /** Most images that a teacher may charge for, the real ones included: from their number up. */
  readonly budget: number;
  /** Of the budget, kept for attempts that fail: the plan spends the rest. Without it, failures shorten the last round. */
  readonly reserve: number;
  /** Whether attempts that failed, or were under way when a run was killed, count against the budget. */
  readonly countFailed: boolean;
  /** Leave out images that the teacher never answers rightly, in all its attempts; the run ends at one otherwise. */
  readonly skipUnanswered?: boolean | undefined;
  /** Agreement on the held-out images, above 0 and at most 1, at which the run ends. */
  readonly targetAgreement?: number | undefined;
  /** Rounds without a better student on the held-out images after which the run ends: from 1 up. */
  readonly patience?: number | undefined;
  /** Rounds of choosing and asking after the first, 0 to 10,000; the budget left is spread evenly over them. */
  readonly rounds: number;
  /** k, queries a round, from 1 up; the rounds are then as many as the budget lets, at most 10,000. */
  readonly perRound?: number;
  /** Images asked about by the end of each round after the first, growing, instead of `rounds`. */
  readonly totals?: readonly number[] | undefined;
  readonly strategy: string;
  /**
   * Students of the committee that `strategy` or `pseudoLabels` asks, the one that is kept among them: 2 to 16; 3 where
   * absent.
   */
  readonly committee?: number | undefined;
  /** What is chosen from. */
  readonly candidates: CandidateKind;
  /** How the images are warped of which candidates are made, all but those of kind `mix`. */
  readonly candidateWarps: WarpRanges;
  /**
   * How many of the real images, those most like the first, the second image of candidates of kind `cutmix` and `mixture`
   * is drawn from: 1 to 256, and below their number. All the others where absent.
   */
  readonly neighbours?: number | undefined;
  /** λ grid, of candidates of kind `mix`: 1 to 64 numbers between 0 and 1, neither included. */
  readonly lambdas: readonly number[];
  /**
   * Most candidate pairs: a seeded sample of them; all pairs where absent. Of candidates of other kinds, how many are
   * drawn each round; 60,000 where absent.
   */
  readonly pool?: number;
  /** Where candidates are blended to be scored; chosen by how much there is to do where absent. */
  readonly blendAt?: BlendAt | undefined;
  /**
   * Candidates that the strategy `badge` chooses from in a round, drawn at random: more than it chooses; 20,000, or four
   * for each that it chooses where that is more, where absent.
   */
  readonly badgeSample?: number | undefined;
  /** Passes over all that is labelled, in each round: from 1 up, and of at most 2^24 steps. */
  readonly epochs: number;
  /**
   * Training steps in each round, 1 to 2^24, instead of `epochs`: one number, or one a round, that of the real images
   * first and the closing one of pseudo-labels last.
   */
  readonly steps?: number | readonly number[] | undefined;
  /**
   * Share of each training batch that the real images make up, 0 to 1, once they are a smaller one of all that is
   * labelled; as their number gives where absent.
   */
  readonly realShare?: number | undefined;
  /** Softens the teacher's answers and the student in training: 1 to 100; 1, not at all, where absent. */
  readonly temperature?: number | undefined;
  /** Share of each round's steps, the last, over which weights are averaged: above 0, at most 1; none where absent. */
  readonly average?: number | undefined;
  /**
   * Candidates that a committee labels in the teacher's place, in a closing round of its own that asks nothing: the
   * student is trained on the answers and on these. No such round where absent, or where `targetAgreement` is reached.
   */
  readonly pseudoLabels?: number | undefined;
  /** Start the student anew each round; it goes on from the last otherwise. */
  readonly restart: boolean;
  /**
   * Share of its weights that the student takes into the next round, 0 to 1; the rest of what it begins that with are its
   * first ones. All of them where absent; of no account with `restart`, which takes none.
   */
  readonly shrink?: number | undefined;
  /** Examples a training step, from 1 up. */
  readonly batch: number;
  readonly optimizer: OptimizerOptions;
  /** Learning rate over each round; its warm-up takes a fifth of a round's steps at most. */
  readonly schedule: Schedule;
  /** Its `crop` is below the images' shorter side. */
  readonly augmentation: Augmentation;
  /** Rounds in which training images are warped, the first of them the real images'; all of them where absent. */
  readonly augmentRounds?: number | undefined;
  /** Whole number, 0 to 2^32 − 1. */
  readonly seed: number;
}

/** What `distill` does unless told otherwise. */
export const defaultDistillOptions: Omit<DistillOptions, "budget"> = {
  reserve: 0,
  countFailed: true,
  rounds: 5,
  strategy: "confidence",
  candidates: "mix",
  candidateWarps: warpRanges("affine", 1, false),
  lambdas: paperLambdas,
  epochs: 20,
  restart: false,
  batch: 128,
  optimizer: plainAdam,
  schedule: { kind: "cosine", rate: 2e-3, floor: 0, warmup: 100 },
  augmentation: { crop: 2, flip: false },
  seed: 0,
};
