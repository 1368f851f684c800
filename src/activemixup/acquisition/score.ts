import { scorePairs, type ScoreName, type ScoreTable } from "../../kernels/index.js";
import type { Recorder } from "../../tensor/index.js";
import type { CandidateView } from "../candidates/candidates.js";
import type { AcquisitionContext } from "./acquisition.js";
import type { ScoringRule } from "./lowest-score.js";

/**
 * The student's own doubt. `confidence` is the paper's rule, the smallest over λ of the student's largest probability
 * (steps 3 and 4; least confidence of Lewis and Gale, SIGIR 1994). `margin` is the difference of the two largest
 * probabilities (Scheffer, Decomain, Wrobel, IDA 2001): small where the student wavers between two classes, whatever it
 * leaves to the others. `entropy` looks at all classes (Shannon 1948; compared by Settles, Active Learning Literature
 * Survey, 2009). With two classes the three agree.
 */
export class ScoreRule implements ScoringRule {
  readonly isConfidence: boolean;

  private constructor(
    readonly views: readonly [CandidateView],
    private readonly score: ScoreName,
  ) {
    this.isConfidence = score === "confidence";
  }

  static async create({ candidates, student }: AcquisitionContext, score: ScoreName): Promise<ScoreRule> {
    return new ScoreRule([await candidates.view(student)], score);
  }

  record(recorder: Recorder, table: ScoreTable): void {
    const { logits } = this.views[0].record(recorder, table.counter);
    scorePairs(recorder, logits, { ...table, score: this.score });
  }
}
