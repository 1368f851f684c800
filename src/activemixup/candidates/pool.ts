import { InputError } from "../../errors.js";
import { MOST_PAIRED_IMAGES, pairOf } from "../../kernels/index.js";
import { Philox, RandomStream } from "../../tensor/index.js";

/**
 * The candidate pool (step 2): pairs i < j of the n real images, all of them or a seeded sample, each chosen at most
 * once. A candidate is a number below {@link size}; blends are never stored.
 */
export class Pool {
  /** Candidates. */
  readonly size: number;
  /** Pair number of each candidate, where the pool is a sample; the candidate itself is the pair number otherwise. */
  readonly pairs: Uint32Array | undefined;
  /** 1 for candidates that were chosen. */
  readonly taken: Uint32Array;
  private takenCount = 0;

  /**
   * @param images n, at least 2
   * @param size most candidates; all pairs where absent or larger
   * @throws InputError where there are no pairs, or `size` is no number from 1 up.
   */
  constructor(
    readonly images: number,
    size: number | undefined,
    seed: number,
  ) {
    const all = countPairs(images);
    if (size !== undefined && !(Number.isInteger(size) && size >= 1)) {
      throw new InputError(`--pool is ${size}; expected a whole number from 1 up`);
    }
    const sampled = size !== undefined && size < all;
    this.size = sampled ? size : all;
    this.pairs = sampled ? new Philox(seed, RandomStream.pool).sample(size, all) : undefined;
    this.taken = new Uint32Array(this.size);
  }

  /** Candidates that are still to be had. */
  get left(): number {
    return this.size - this.takenCount;
  }

  /** The images of a candidate. */
  pairOf(candidate: number): { first: number; second: number } {
    const [first, second] = pairOf(this.pairs ? this.pairs[candidate] : candidate, this.images);
    return { first, second };
  }

  /**
   * Takes a candidate out.
   * @throws Error where it was taken before: an acquisition chose it twice.
   */
  take(candidate: number): void {
    if (this.taken[candidate] !== 0) throw new Error(`candidate ${candidate} was chosen twice`);
    this.taken[candidate] = 1;
    this.takenCount++;
  }
}

/**
 * Pairs of so many images.
 * @throws InputError where there are none, or more than can be numbered
 */
export function countPairs(images: number): number {
  const pairs = (images * (images - 1)) / 2;
  if (pairs < 1) throw new InputError(`--n is ${images}; mixup needs at least 2 images`);
  if (images > MOST_PAIRED_IMAGES)
    throw new InputError(`--n is ${images}; at most ${MOST_PAIRED_IMAGES} images can be paired`);
  return pairs;
}
