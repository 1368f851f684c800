import type { ImageSet } from "../data/index.js";
import { Predictor, type Network } from "../nn/index.js";
import { largest } from "./evaluation.js";

/** What the student says of an image: its class, and how probable it holds that, from 0 to 1. */
export interface Belief {
  readonly label: number;
  readonly confidence: number;
}

/** Of the images that the student chose in one round, what it said of them at one moment. */
export interface BeliefMeans {
  /** Mean confidence, 0 to 1. */
  readonly confidence: number;
  /** Share of the images on which it gave the teacher's class. */
  readonly agreement: number;
}

/** Images that are looked at together. */
const BATCH = 256;

/** Asks the student about the images that it chose: for the report alone, nothing is decided by the answers. */
export class Beliefs {
  private constructor(
    private readonly classes: number,
    private readonly predictor: Predictor,
  ) {}

  /** @param most images that are asked about at a time, at least 1; more are taken in turns */
  static async create(student: Network, most: number): Promise<Beliefs> {
    return new Beliefs(student.spec.classes, await Predictor.create(student, Math.min(most, BATCH)));
  }

  /**
   * What the student says of each image as it is now; nothing of an image where its numbers have run out of range.
   * @param pixels 8-bit values, N C H W, as the teacher was shown them
   */
  async of(pixels: ImageSet["pixels"] | Uint8Array, signal?: AbortSignal): Promise<(Belief | undefined)[]> {
    const { labels, probabilities } = await this.predictor.predict(pixels, signal);
    return Array.from(labels, (label, image) => {
      const confidence = probabilities[image * this.classes + label];
      return Number.isFinite(confidence) ? { label, confidence } : undefined;
    });
  }

  dispose(): void {
    this.predictor.dispose();
  }
}

/**
 * Means of what the student said of images that have answers; nothing where it said nothing of any.
 * @param labels the teacher's probabilities of the same images
 */
export function meanBelief(
  beliefs: readonly (Belief | undefined)[],
  labels: readonly Float32Array[],
): BeliefMeans | undefined {
  let count = 0;
  let confidence = 0;
  let same = 0;
  for (const [index, belief] of beliefs.entries()) {
    if (!belief) continue;
    count++;
    confidence += belief.confidence;
    if (belief.label === largest(labels[index], labels[index].length)[0]) same++;
  }
  return count === 0 ? undefined : { confidence: confidence / count, agreement: same / count };
}
