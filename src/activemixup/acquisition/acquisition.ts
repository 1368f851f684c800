import type { Network } from "../../nn/index.js";
import type { ReplayOptions } from "../../tensor/index.js";
import type { BlendAt } from "../candidates/blend-at.js";
import type { Candidates, Choice } from "../candidates/candidates.js";

/** What an acquisition may look at. */
export interface AcquisitionContext {
  readonly candidates: Candidates;
  readonly student: Network;
  /** Other students, trained on the same answers from other seeds, where the strategy asks a committee. */
  readonly others?: readonly Network[];
  readonly seed: number;
  /**
   * m, candidates that `badge` chooses k from in a round, drawn at random; 20,000, or 4k where that is more, where
   * absent. Never fewer than k.
   */
  readonly badgeSample?: number | undefined;
}

/** Chooses which candidates to ask the teacher about (steps 3 and 4). */
export interface Acquisition {
  /** Where candidates are blended to be scored, by an acquisition that scores pairs. */
  readonly blendAt?: BlendAt | undefined;
  /**
   * Chooses `count` candidates that were not taken, each once; the caller takes them out.
   * @param count at most the candidates' `left`
   * @param round from 1; the candidates have begun it
   */
  select(count: number, round: number, options: ReplayOptions): Promise<Choice[]>;
  dispose(): void;
}
