import { subset, type ImageSet } from "../data/index.js";
import { InputError } from "../errors.js";
import { Predictor, type Network, type Prediction } from "../nn/index.js";
import { Philox, RandomStream } from "../tensor/index.js";
import type { Compared } from "./comparison.js";
import { largest } from "./evaluation.js";
import type { LedgerQueryOptions } from "./ledger/ledger.js";
import type { Panel } from "./ledger/panel.js";
import { estimateMean, estimateShare, type Estimate } from "./statistics.js";

/** How well the student does what the teacher does, on real images that it is never trained on. */
export interface HoldoutScore {
  /** Share of the images on which student and teacher give the same class. */
  readonly agreement: Estimate;
  /** Mean Kullback-Leibler divergence of the student's probabilities from the teacher's, in nats. */
  readonly divergence: Estimate;
}

/**
 * How many of `count` images are held out.
 * @param share from 0 to below 1; rounded to whole images, at least one where above 0
 */
export function holdoutSize(count: number, share: number): number {
  return share === 0 ? 0 : Math.max(1, Math.round(share * count));
}

/**
 * Splits the real images: which are trained on and which are held out, ascending, drawn by the seed.
 * @param share of the images to hold out, as {@link holdoutSize} has it
 * @throws InputError where the share is out of range, or leaves fewer than two images to train on; RangeError where the
 * seed is no whole number from 0 to 2^32 − 1
 */
export function splitHoldout(count: number, share: number, seed: number): { trained: number[]; held: number[] } {
  if (!(share >= 0 && share < 1)) {
    throw new InputError(`--holdout is ${share}; expected a share of the images from 0 to below 1, for example 0.1`);
  }
  const size = holdoutSize(count, share);
  if (size > 0 && count - size < 2) {
    throw new InputError(
      `--holdout ${share} takes ${size} of ${count} images and leaves fewer than 2 to train on; raise --n or give --holdout 0`,
    );
  }
  const held = Array.from(new Philox(seed, RandomStream.split).sample(size, count));
  const isHeld = new Set(held);
  return { trained: Array.from({ length: count }, (_, index) => index).filter((index) => !isHeld.has(index)), held };
}

/**
 * The images of {@link splitHoldout}; `held` is absent where none are held out.
 * @throws what {@link splitHoldout} throws
 */
export function holdOut(images: ImageSet, share: number, seed: number): { images: ImageSet; held?: ImageSet } {
  const { trained, held } = splitHoldout(images.count, share, seed);
  if (held.length === 0) return { images };
  const apart = { ...subset(images, held), name: `${held.length} held-out images of ${images.name}` };
  return { images: subset(images, trained), held: apart };
}

/** A student's probability of 0 would make the divergence infinite; f32 softmax gives 0 from about 1e-45 down. */
const LEAST_PROBABILITY = 1e-30;

/** Compares the student with the teacher's answers to the held-out images. */
export class HoldoutJudge {
  private predicted: Prediction | undefined;

  private constructor(
    /** Those that have answers. */
    private readonly images: ImageSet,
    /** Their numbers among all that are held out. */
    private readonly numbers: readonly number[],
    private readonly answers: readonly Float32Array[],
    private readonly predictor: Predictor,
    /** Images that the teacher never answered. */
    readonly skipped: number,
  ) {}

  /**
   * Asks about the held-out images, within the budget.
   * @throws InputError where the budget did not cover them
   */
  static async create(
    images: ImageSet,
    panel: Panel,
    student: Network,
    options: LedgerQueryOptions = {},
  ): Promise<HoldoutJudge> {
    const answers = await panel.query(images, options);
    const missing = answers.filter((answer) => answer === "budget").length;
    if (missing > 0) {
      throw new InputError(
        `the budget was spent before the teacher had answered ${missing} of ${images.count} held-out images; ` +
          "begin anew with a larger --budget, and --ledger with this run's ledger, which keeps what was answered",
      );
    }
    const answered = [...answers.keys()].filter((index) => answers[index] !== "skipped");
    if (answered.length === 0) {
      throw new InputError(`the teacher answered none of the ${images.count} held-out images; give --holdout 0`);
    }
    const judged = subset(images, answered);
    const rows = answered.map((index) => answers[index] as Float32Array);
    const predictor = await Predictor.create(student, Math.min(judged.count, 2048));
    return new HoldoutJudge(judged, answered, rows, predictor, images.count - judged.count);
  }

  /** Held-out images that have answers. */
  get count(): number {
    return this.images.count;
  }

  async score(signal?: AbortSignal, onProgress?: (done: number) => void): Promise<HoldoutScore> {
    this.predicted = await this.predictor.predict(this.images.pixels, signal, onProgress);
    const { labels, probabilities } = this.predicted;
    let same = 0;
    const divergences = this.answers.map((answer, image) => {
      const { length } = answer;
      if (largest(answer, length)[0] === labels[image]) same++;
      return divergence(answer, probabilities.subarray(image * length, (image + 1) * length));
    });
    return { agreement: estimateShare(same, this.answers.length), divergence: estimateMean(divergences, 0) };
  }

  /** Teacher and student, as they were scored last. */
  get compared(): Compared | undefined {
    return this.predicted && { numbers: this.numbers, expected: this.answers, predicted: this.predicted };
  }

  dispose(): void {
    this.predictor.dispose();
  }
}

/** Kullback-Leibler divergence of `student` from `teacher`, in nats: Σ t · ln(t / s). */
export function divergence(teacher: Float32Array, student: Float32Array): number {
  return teacher.reduce(
    (sum, t, index) => (t > 0 ? sum + t * Math.log(t / Math.max(student[index], LEAST_PROBABILITY)) : sum),
    0,
  );
}
