import { compare, type Comparison } from "../comparison.js";
import type { DistillInput } from "../distill-input.js";
import { Evaluation } from "../evaluation.js";
import { HoldoutJudge } from "../holdout.js";
import type { Panels } from "../panels.js";
import type { RoundReport } from "../report.js";
import type { Stopwatch } from "../stopwatch.js";

/** How the student does on images that it is not trained on: held-out ones, by which it is judged, and test images. */
export class Judging {
  private judge: HoldoutJudge | undefined;
  private evaluation: Evaluation | undefined;

  constructor(
    private readonly input: DistillInput,
    private readonly panels: Panels,
  ) {}

  /**
   * Asks about the test images, where they are asked about, and about those that are held out.
   * @param round the first that is judged
   * @throws InputError where there is no answer to judge by; what ended or aborted the asking
   */
  async begin(round: number, watch: Stopwatch): Promise<void> {
    const { asked, forTest } = this.panels;
    const { student, test, holdout, observer, signal } = this.input;
    const hearing = (phase: "holdout" | "test", total: number) => ({
      signal,
      onProgress: (done: number) => observer?.onProgress?.(phase, round, done, total),
    });
    if (test) {
      const options = hearing("test", test.count);
      this.evaluation = await watch.time("evaluate", () => Evaluation.create(test, forTest, student, options));
    }
    if (holdout) {
      const options = hearing("holdout", holdout.count);
      this.judge = await watch.time("query", () => HoldoutJudge.create(holdout, asked, student, options));
    }
  }

  /** Held-out images that have answers. */
  get held(): number {
    return this.judge?.count ?? 0;
  }

  /** Held-out images that the teacher never answered. */
  get heldSkipped(): number {
    return this.judge?.skipped ?? 0;
  }

  /** Test images that the teacher answered. */
  get tested(): number {
    return this.evaluation?.count ?? 0;
  }

  /** Share of the test images that the teacher classifies as their labels say. */
  get teacherAccuracy(): number | undefined {
    return this.evaluation?.teacherAccuracy;
  }

  /** How the student does on held-out and on test images, where there are such. */
  async score(round: number): Promise<Pick<RoundReport, "holdout" | "test">> {
    const { observer, signal, test } = this.input;
    const { held } = this;
    const hearing = (before: number) => (done: number) =>
      observer?.onProgress?.("evaluate", round, before + done, held + (test?.count ?? 0));
    const holdout = await this.judge?.score(signal, hearing(0));
    const tested = await this.evaluation?.score(signal, hearing(held));
    return { ...(holdout ? { holdout } : {}), ...(tested ? { test: tested } : {}) };
  }

  /** How the student did as it was scored last, in `round`: on held-out images, or else on test images. */
  compare(round: number): Comparison | undefined {
    const { judge, evaluation } = this;
    if (judge?.compared) return compare(judge.compared, { on: "holdout", against: "teacher", round });
    if (!evaluation?.compared || !evaluation.against) return undefined;
    return compare(evaluation.compared, { on: "test", against: evaluation.against, round });
  }

  dispose(): void {
    this.judge?.dispose();
    this.evaluation?.dispose();
  }
}
