import { Predictor, type Network } from "../nn/index.js";
import type { ImageSet } from "../data/index.js";
import type { Ledger } from "./ledger/ledger.js";

/** How well the student does on images that it is not trained on. */
export interface Score {
  /** Share of the images on which student and teacher give the same class. */
  readonly agreement: number;
  /** Share of the images that the student classifies as their labels say; absent without labels. */
  readonly accuracy?: number;
}

/** Compares the student with the teacher, and with true labels where there are any, on images held apart. */
export class Evaluation {
  private constructor(
    private readonly images: ImageSet,
    private readonly teacherLabels: Uint32Array,
    private readonly predictor: Predictor,
  ) {}

  /**
   * Asks the teacher about the images: outside the budget, since nothing is trained on the answers.
   * @param images test images, or real images held out
   */
  static async create(images: ImageSet, ledger: Ledger, student: Network, signal?: AbortSignal): Promise<Evaluation> {
    const answers = await ledger.query(images, { signal });
    const teacherLabels = Uint32Array.from(answers, (answer) => largest(answer!, answer!.length)[0]);
    return new Evaluation(images, teacherLabels, await Predictor.create(student, Math.min(images.count, 2048)));
  }

  /** Images that the teacher was asked about. */
  get count(): number {
    return this.images.count;
  }

  /** Share of the images that the teacher classifies as their labels say. */
  get teacherAccuracy(): number | undefined {
    return this.images.labels && share(this.teacherLabels, this.images.labels);
  }

  async score(signal?: AbortSignal): Promise<Score> {
    const { labels } = await this.predictor.predict(this.images.pixels, signal);
    const agreement = share(labels, this.teacherLabels);
    return this.images.labels ? { agreement, accuracy: share(labels, this.images.labels) } : { agreement };
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
