import type { ImageSet } from "../data/index.js";
import { Predictor, type Network, type Prediction } from "../nn/index.js";
import type { Compared } from "./comparison.js";
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
  private predicted: Prediction | undefined;

  private constructor(
    private readonly images: ImageSet,
    /** The teacher's answers, nothing for images that it never answered; absent where it is not asked. */
    private readonly answers: readonly (Float32Array | undefined)[] | undefined,
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
    const asked = await panel?.query(images, options);
    const answers = asked?.map((answer) => (typeof answer === "string" ? undefined : answer));
    const teacherLabels = answers?.map((answer) => (answer ? largest(answer, answer.length)[0] : -1));
    return new Evaluation(
      images,
      answers,
      teacherLabels,
      await Predictor.create(student, Math.min(images.count, 2048)),
    );
  }

  /** Images that the teacher answered. */
  get count(): number {
    return this.teacherLabels?.filter((label) => label >= 0).length ?? 0;
  }

  /** Share of the images that the teacher classifies as their labels say. */
  get teacherAccuracy(): number | undefined {
    return this.images.labels && this.shareOfAnswered(this.images.labels);
  }

  async score(signal?: AbortSignal, onProgress?: (done: number) => void): Promise<Score> {
    this.predicted = await this.predictor.predict(this.images.pixels, signal, onProgress);
    const { labels } = this.predicted;
    const agreement = this.shareOfAnswered(labels);
    return {
      ...(agreement === undefined ? {} : { agreement }),
      ...(this.images.labels ? { accuracy: share(labels, this.images.labels) } : {}),
    };
  }

  /** What the images are compared with, where there is anything: the teacher, or else their labels. */
  get against(): "teacher" | "labels" | undefined {
    return this.answers ? "teacher" : this.images.labels && "labels";
  }

  /** Teacher, or else labels, and student, as they were scored last. */
  get compared(): Compared | undefined {
    const { predicted, images } = this;
    const expected = this.answers ?? (predicted && images.labels && certain(images.labels, classesOf(predicted)));
    return predicted && expected && { numbers: [...expected.keys()], expected, predicted };
  }

  /** Share of the images that the teacher answered on which it says the same; absent where there are none. */
  private shareOfAnswered(labels: ArrayLike<number>): number | undefined {
    if (!this.teacherLabels || this.count === 0) return undefined;
    const same = this.teacherLabels.filter((label, image) => label === labels[image]).length;
    return same / this.count;
  }

  dispose(): void {
    this.predictor.dispose();
  }
}

function classesOf({ labels, probabilities }: Prediction): number {
  return probabilities.length / labels.length;
}

/** Labels as probabilities: all of it on one class. */
function certain(labels: ArrayLike<number>, classes: number): Float32Array[] {
  return Array.from(labels, (label) => {
    const row = new Float32Array(classes);
    row[label] = 1;
    return row;
  });
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
