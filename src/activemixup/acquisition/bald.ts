import { InputError } from "../../errors.js";
import { addBelief, advance, scoreBelief, type Belief, type ScoreTable } from "../../kernels/index.js";
import { architectures, buildModule, hasDropout, type Network } from "../../nn/index.js";
import { createTensor, philox4x32, RandomStream, writeTensor, type Recorder, type Tensor } from "../../tensor/index.js";
import type { CandidateView } from "../candidates/candidates.js";
import type { AcquisitionContext } from "./acquisition.js";
import type { ScoringRule } from "./lowest-score.js";

/** Passes with dropout of each candidate. */
export const BALD_PASSES = 10;

/**
 * Bayesian active learning by disagreement (Houlsby et al. 2011, arXiv 1112.5745), by Monte-Carlo dropout (Gal, Islam,
 * Ghahramani, ICML 2017, arXiv 1703.02910): passes of the student with dropout are draws of what it may think, and the
 * candidates are chosen whose label the draws disagree on most, by the mutual information of label and draw. Unlike
 * confidence it passes by candidates on which every draw is as unsure as the others: no answer would settle them. Takes
 * {@link BALD_PASSES} times as long as confidence.
 */
export class BaldRule implements ScoringRule {
  readonly isConfidence = false;

  private constructor(
    readonly views: readonly [CandidateView],
    private readonly seed: number,
    /** Batches in a round. */
    private readonly batches: number,
    /** Number of the batch among those of all rounds: each drops other values. */
    private readonly draw: Tensor<"u32">,
  ) {}

  static async create({ candidates, student, seed }: AcquisitionContext): Promise<BaldRule> {
    const draw = createTensor(student.device, [1], { dtype: "u32", name: "draw" });
    const batches = Math.ceil(candidates.size / candidates.batch);
    return new BaldRule([await candidates.view(student)], seed, batches, draw);
  }

  record(recorder: Recorder, table: ScoreTable): void {
    let belief: Belief | undefined;
    for (let pass = 0; pass < BALD_PASSES; pass++) {
      const dropout = { seed: passSeed(this.seed, pass), step: this.draw };
      belief = addBelief(recorder, this.views[0].record(recorder, table.counter, { dropout }).logits, belief);
    }
    scoreBelief(recorder, belief!, table);
    advance(recorder, this.draw);
  }

  begin(round: number): void {
    writeTensor(this.draw, [((round - 1) * this.batches) % 2 ** 32]);
  }

  dispose(): void {
    this.draw.dispose();
  }
}

/** The seed of dropout in a pass: other than that of training, which draws by the run's seed. */
export function passSeed(seed: number, pass: number): number {
  return philox4x32([pass, 0, RandomStream.acquisition, 1], [seed, 0])[0];
}

/**
 * Requires a student whose passes with dropout differ.
 * @throws InputError where it has no dropout
 */
export function requireDropout({ hasDropout: has, spec }: Network): void {
  if (has) return;
  const { architecture, image, classes } = spec;
  const others = architectures.filter((name) => takesWithDropout(name, image, classes));
  throw new InputError(
    `--strategy bald needs dropout and the student ${architecture} has no dropout layer; give --strategy committee` +
      (others.length > 0 ? `, or --student ${others.join(" or ")}` : ""),
  );
}

/** Whether an architecture has dropout and takes such images. */
function takesWithDropout(architecture: string, ...of: [Network["spec"]["image"], number]): boolean {
  try {
    return hasDropout(buildModule(architecture, ...of));
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}
