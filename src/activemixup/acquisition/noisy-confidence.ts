import { scorePairs, type ScoreTable } from "../../kernels/index.js";
import { createTensor, writeTensor, type Recorder, type Tensor } from "../../tensor/index.js";
import type { CandidateView } from "../candidates/candidates.js";
import type { AcquisitionContext } from "./acquisition.js";
import type { ScoringRule } from "./lowest-score.js";

/**
 * Confidence with chance. Candidates are drawn without replacement, each with a probability in proportion to the
 * student's doubt in it, 1 − its largest probability (at the λ of least confidence): Gumbel noise is added to the
 * logarithm of the doubt, and the largest are taken (Kool, van Hoof, Welling, ICML 2019, arXiv 1903.06059; for active
 * learning, Kirsch et al., TMLR 2023, arXiv 2106.12059). The hardest candidates resemble one another, and lowest
 * confidence takes them all; a draw takes some of each sort.
 */
export class NoisyConfidenceRule implements ScoringRule {
  readonly isConfidence = false;

  private constructor(
    readonly views: readonly [CandidateView],
    private readonly seed: number,
    private readonly round: Tensor<"u32">,
  ) {}

  static async create({ candidates, student, seed }: AcquisitionContext): Promise<NoisyConfidenceRule> {
    const round = createTensor(student.device, [1], { dtype: "u32", name: "round" });
    return new NoisyConfidenceRule([await candidates.view(student)], seed, round);
  }

  record(recorder: Recorder, table: ScoreTable): void {
    const { logits } = this.views[0].record(recorder, table.counter);
    scorePairs(recorder, logits, { ...table, noise: { seed: this.seed, counter: this.round } });
  }

  begin(round: number): void {
    writeTensor(this.round, [round]);
  }

  dispose(): void {
    this.round.dispose();
  }
}
