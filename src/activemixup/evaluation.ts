import type { ImageSet } from "../data/index.js";
import { Predictor, type Network } from "../nn/index.js";
import type { LedgerQueryOptions } from "./ledger/ledger.js";
import type { Panel } from "./ledger/panel.js";

/** How well the student does on test images. */
export interface Score {
  /** Share of the images on which student and teacher give the same class; absent where the teacher is not asked. */
  readonly agreement?: number;
  /** Share of the images that the student classifies as their labels say; absent without labels. */
  readonly accuracy?: number;
}

/** Compares the student with true labels, where there are any, and with the teacher, where it may be asked. */
export class Evaluation {
  private constructor(
    private readonly images: ImageSet,
    /** Classes by the teacher, -1 for images that it never answered; absent where it is not asked. */
    private readonly teacherLabels: readonly number[] | undefined,
    private readonly predictor: Predictor,
  ) {}

  /** Asks about the images where there is a panel: outside the budget, since nothing is trained on the answers. */
  static async create(
    images: ImageSet,
    panel: Panel | undefined,
    student: Network,
    options: LedgerQueryOptions = {},
  ): Promise<Evaluation> {
    const answers = await panel?.query(images, options);
    const teacherLabels = answers?.map((answer) =>
      typeof answer === "string" ? -1 : largest(answer, answer.length)[0],
    );
    return new Evaluation(images, teacherLabels, await Predictor.create(student, Math.min(images.count, 2048)));
  }

  /** Images that the teacher answered. */
  get count(): number {
    return this.teacherLabels?.filter((label) => label >= 0).length ?? 0;
  }

  /** Share of the images that the teacher classifies as their labels say. */
  get teacherAccuracy(): number | undefined {
    return this.images.labels && this.shareOfAnswered(this.images.labels);
  }

  async score(signal?: AbortSignal): Promise<Score> {
    const { labels } = await this.predictor.predict(this.images.pixels, signal);
    return {
      ...(this.teacherLabels ? { agreement: this.shareOfAnswered(labels)! } : {}),
      ...(this.images.labels ? { accuracy: share(labels, this.images.labels) } : {}),
    };
  }

  /** Share of the images that the teacher answered on which it says the same; absent where it is not asked. */
  private shareOfAnswered(labels: ArrayLike<number>): number | undefined {
    if (!this.teacherLabels) return undefined;
    const same = this.teacherLabels.filter((label, image) => label === labels[image]).length;
    return same / this.count;
  }

  dispose(): void {
    this.predictor.dispose();
  }
}

/** Share of the places at which both hold the same class. */
export function share(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let same = 0;
  for (let index = 0; index < a.length; index++) if (a[index] === b[index]) same++;
  return same / a.length;
}

/** Class of the largest probability of each row, the first of equals. */
export function largest(probabilities: Float32Array, classes: number): Uint32Array {
  return Uint32Array.from({ length: probabilities.length / classes }, (_, row) => {
    const values = probabilities.subarray(row * classes, (row + 1) * classes);
    return values.reduce((best, value, index) => (value > values[best] ? index : best), 0);
  });
}
