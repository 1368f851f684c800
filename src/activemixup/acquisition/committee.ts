import { addBelief, scoreBelief, type Belief, type ScoreTable } from "../../kernels/index.js";
import type { Recorder } from "../../tensor/index.js";
import type { CandidateView } from "../candidates/candidates.js";
import type { AcquisitionContext } from "./acquisition.js";
import type { ScoringRule } from "./lowest-score.js";

/**
 * Query by committee (Seung, Opper, Sompolinsky, COLT 1992): several students are trained on the same answers from
 * several seeds, and the candidates are chosen whose label they disagree on most, by the mutual information of label and
 * student, as BALD. Committees of few networks know better what they do not know than dropout does (Beluch, Genewein,
 * Nürnberger, Köhler, CVPR 2018), and need no dropout. Training and scoring take as many times as long as there are
 * students.
 */
export class CommitteeRule implements ScoringRule {
  readonly isConfidence = false;

  private constructor(readonly views: readonly CandidateView[]) {}

  static async create({ candidates, student, others = [] }: AcquisitionContext): Promise<CommitteeRule> {
    const views: CandidateView[] = [];
    for (const network of [student, ...others]) views.push(await candidates.view(network));
    return new CommitteeRule(views);
  }

  record(recorder: Recorder, table: ScoreTable): void {
    let belief: Belief | undefined;
    for (const view of this.views) belief = addBelief(recorder, view.record(recorder, table.counter).logits, belief);
    scoreBelief(recorder, belief!, table);
  }
}
