/**
 * Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011). The same counter and key give the same 128 bits here and in `philox.wgsl`.
 */

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;

/** High 32 bits of the 64-bit product of two unsigned 32-bit numbers, by 16-bit halves. */
export function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = (Math.imul(aHigh, bLow) >>> 0) + (Math.imul(aLow, bLow) >>> 16);
  const carry = (middle & 0xffff) + (Math.imul(aLow, bHigh) >>> 0);
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (carry >>> 16)) >>> 0;
}

/** Four whole numbers, 0 to 2^32 − 1 each. */
export type Words4 = [number, number, number, number];

/** Four random 32-bit words for a counter of four words and a key of two. */
export function philox4x32(counter: Readonly<Words4>, key: readonly [number, number]): Words4 {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low0 = Math.imul(MULTIPLIER_0, c0);
    const low1 = Math.imul(MULTIPLIER_1, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** A uniform number in [0, 1) with 24 random bits, the same in f32 on every device. */
export function unitFloat(word: number): number {
  return (word >>> 8) / 0x1000000;
}

/**
 * Uses of random numbers. Each takes its own Philox stream of the run's seed, so that changing how many numbers one
 * use draws changes nothing in the others.
 */
export const RandomStream = {
  images: 1,
  initialise: 2,
  shuffle: 3,
  augment: 4,
  dropout: 5,
  pool: 6,
  lambda: 7,
  acquisition: 8,
  digits: 9,
  split: 10,
  warp: 11,
  compose: 12,
  gumbel: 13,
  seeding: 14,
} as const;

/** A sequence of random numbers from a seed, for use on the host. */
export class Philox {
  private block = 0;
  private words: Words4 = [0, 0, 0, 0];
  private used = 4;
  private readonly key: [number, number];

  /**
   * @param seed whole number, 0 to 2^32 − 1
   * @param stream one of {@link RandomStream}; sequences of different streams are independent
   * @param substream tells apart sequences within a stream, for example epochs
   * @throws RangeError where the seed is none
   */
  constructor(
    seed: number,
    private readonly stream = 0,
    private readonly substream = 0,
  ) {
    if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
      throw new RangeError(`seed ${seed}; expected a whole number from 0 to 4294967295`);
    }
    this.key = [seed, 0];
  }

  /** Uniform in 0 … 2^32 − 1. */
  uint32(): number {
    if (this.used === 4) {
      this.words = philox4x32([this.block++, this.substream, this.stream, 0], this.key);
      this.used = 0;
    }
    return this.words[this.used++];
  }

  /** Uniform in [0, 1). */
  float(): number {
    return unitFloat(this.uint32());
  }

  /**
   * Uniform in 0 … bound − 1, without bias.
   * @throws RangeError where `bound` is not a whole number from 1 to 2^32.
   */
  below(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > 0x100000000) {
      throw new RangeError(`random number below ${bound}; expected a whole number from 1 to 4294967296`);
    }
    const limit = Math.floor(0x100000000 / bound) * bound;
    for (;;) {
      const word = this.uint32();
      if (word < limit) return word % bound;
    }
  }

  /** Normal with mean 0 and variance 1 (Box–Muller). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.float()));
    return radius * Math.cos(2 * Math.PI * this.float());
  }

  /** Shuffles `items` in place (Fisher–Yates) and returns it. */
  shuffle<T extends { length: number; [index: number]: number }>(items: T): T {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      const value = items[last];
      items[last] = items[other];
      items[other] = value;
    }
    return items;
  }

  /**
   * `count` distinct whole numbers below `bound`, in ascending order (Floyd's algorithm).
   * @throws RangeError where there are not so many.
   */
  sample(count: number, bound: number): Uint32Array<ArrayBuffer> {
    if (!Number.isInteger(count) || !Number.isInteger(bound) || count < 0 || count > bound) {
      throw new RangeError(`sample of ${count} out of ${bound}; expected a whole number from 0 to ${bound}`);
    }
    const chosen = count > MOST_IN_SET ? new BitSet(bound) : new Set<number>();
    for (let upper = bound - count; upper < bound; upper++) {
      const candidate = this.below(upper + 1);
      chosen.add(chosen.has(candidate) ? upper : candidate);
    }
    return chosen instanceof BitSet ? chosen.toArray(count) : Uint32Array.from(chosen).sort();
  }
}

/** A set holds at most 2^24 numbers, and slows down long before. */
const MOST_IN_SET = 2 ** 20;

/** Whole numbers below a bound, a bit each. */
class BitSet {
  private readonly words: Uint32Array;

  constructor(bound: number) {
    this.words = new Uint32Array(Math.ceil(bound / 32));
  }

  add(value: number): void {
    this.words[value >>> 5] |= 1 << (value & 31);
  }

  has(value: number): boolean {
    return (this.words[value >>> 5] & (1 << (value & 31))) !== 0;
  }

  /** The `count` numbers that it holds, in ascending order. */
  toArray(count: number): Uint32Array<ArrayBuffer> {
    const values = new Uint32Array(count);
    let filled = 0;
    for (let value = 0; filled < count; value++) if (this.has(value)) values[filled++] = value;
    return values;
  }
}
