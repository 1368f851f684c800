import { InputError } from "../errors.js";
import { Philox, RandomStream } from "../tensor/index.js";

/**
 * The first `count` examples make up `share` of each batch, 0 to 1: to the nearest whole example, but no less than
 * their number among all gives, and never a whole batch. 0 takes none of them and 1 no others. Of no account where
 * `count` is that of all examples, or more.
 */
export interface Emphasis {
  readonly count: number;
  readonly share: number;
}

/** Example numbers, batch after batch. */
export interface ExampleOrder {
  /** @param length a whole number of batches */
  take(length: number): Uint32Array;
}

/**
 * The order of examples in a call of training: shuffled passes, over all of them, or over those that are emphasised and
 * over the others.
 * @param round tells apart the random numbers of several calls
 * @throws InputError where there are no examples, or none that are emphasised, or the share is none, or of one example
 */
export function orderOf(
  count: number,
  batch: number,
  emphasis: Emphasis | undefined,
  seed: number,
  round: number,
): ExampleOrder {
  expectCount("examples", count);
  const random = new ShuffleSource(seed, round);
  if (emphasis) {
    expectCount("emphasised examples", emphasis.count);
    const { share } = emphasis;
    if (!(share >= 0 && share <= 1)) throw new InputError(`order: share is ${share}; expected a number from 0 to 1`);
  }
  if (!emphasis || emphasis.count >= count) return new ExampleStream(0, count, random);
  const often = emphasisedIn(batch, emphasis, count);
  const parts = [
    { stream: new ExampleStream(0, emphasis.count, random), size: often },
    { stream: new ExampleStream(emphasis.count, count, random), size: batch - often },
  ];
  return {
    take(length) {
      const taken = new Uint32Array(length);
      for (let filled = 0; filled < length;) {
        for (const { stream, size } of parts) {
          taken.set(stream.take(size), filled);
          filled += size;
        }
      }
      return taken;
    },
  };
}

/**
 * Examples of a batch that are emphasised: their share to the nearest whole number, but no fewer than their number among
 * all gives, and not all, where there is a share of both.
 */
function emphasisedIn(batch: number, { count, share }: Emphasis, all: number): number {
  if (share === 0 || share === 1) return share * batch;
  if (batch === 1) throw new InputError(`order: share is ${share} of batches of 1 example; expected larger batches`);
  const often = Math.max(Math.round(share * batch), Math.ceil((count / all) * batch));
  return Math.min(often, batch - 1);
}

function expectCount(what: string, count: number): void {
  if (Number.isSafeInteger(count) && count >= 1) return;
  throw new InputError(`order: ${count} ${what}; expected a whole number from 1 up`);
}

/** Random numbers for shuffles: others for each, the same in each run. */
class ShuffleSource {
  private shuffles = 0;

  constructor(
    private readonly seed: number,
    private readonly round: number,
  ) {}

  next(): Philox {
    return new Philox(this.seed, RandomStream.shuffle, this.round * 0x10000 + this.shuffles++);
  }
}

/** Example numbers in shuffled passes, one after the other: each example comes once before any comes again. */
class ExampleStream implements ExampleOrder {
  private left: Uint32Array = new Uint32Array(0);

  /**
   * @param first number of the first example
   * @param end number behind the last
   */
  constructor(
    private readonly first: number,
    private readonly end: number,
    private readonly random: ShuffleSource,
  ) {}

  take(length: number): Uint32Array {
    const taken = new Uint32Array(length);
    for (let filled = 0; filled < length;) {
      if (this.left.length === 0) this.left = this.shuffled();
      const part = this.left.subarray(0, length - filled);
      taken.set(part, filled);
      filled += part.length;
      this.left = this.left.subarray(part.length);
    }
    return taken;
  }

  private shuffled(): Uint32Array {
    const length = this.end - this.first;
    return this.random.next().shuffle(Uint32Array.from({ length }, (_, index) => this.first + index));
  }
}
