import { WHOLE_WEIGHT } from "../../kernels/index.js";
import type { ImageShape } from "../../nn/index.js";
import { Philox, RandomStream } from "../../tensor/index.js";
import { lambdaWeight, type MixedPair } from "../blend.js";

/** What may be done with warped real images. */
export type CompositionKind = "warp" | "mix" | "cutmix";

/** Top, left, bottom and right of a part of an image, in pixels; bottom and right are the first outside. */
export type Box = readonly [top: number, left: number, bottom: number, right: number];

/**
 * An image made of one or two warped real images. `warp`: one, by itself. `mix`: their blend. `cutmix`: the second is
 * seen in a box of the first; λ is the share of the area that the first keeps.
 */
export interface Composition extends MixedPair {
  readonly kind: CompositionKind;
  readonly box?: Box;
}

/** λ of a mix, uniform: below one half the images would change places. */
const MIX = [0.5, 1] as const;
/** λ of a cutmix, uniform: of less than about a third of an image its class is not to be told. */
const CUTMIX = [0.3, 0.7] as const;

/** What compositions are made of. */
export interface Ingredients {
  /** Kinds, which take turns. */
  readonly kinds: readonly CompositionKind[];
  /** n, of the real images; at least 2 where there are kinds of two images. */
  readonly count: number;
  /** Of each real image those that a second image is drawn from, [n, k]; all the others where absent. */
  readonly neighbours?: Uint32Array | undefined;
}

/**
 * The composition that a number stands for: its kind, its images and λ follow from the number, the seed and what
 * compositions are made of.
 * @param candidate whole number, 0 to 2^32 − 1; kinds take turns by it
 */
export function drawComposition(
  candidate: number,
  { kinds, count, neighbours }: Ingredients,
  { height, width }: Pick<ImageShape, "height" | "width">,
  seed: number,
): Composition {
  const random = new Philox(seed, RandomStream.compose, candidate);
  const kind = kinds[candidate % kinds.length];
  const first = random.below(count);
  if (kind === "warp") return { kind, first, second: first, lambda: 1 };
  const second = neighbours ? neighbourOf(first, neighbours, count, random) : otherThan(first, count, random);
  const [low, high] = kind === "mix" ? MIX : CUTMIX;
  const lambda = low + (high - low) * random.float();
  if (kind === "mix") return { kind, first, second, lambda };
  const side = Math.sqrt(1 - lambda);
  const rows = Math.round(height * side);
  const columns = Math.round(width * side);
  const top = random.below(height - rows + 1);
  const left = random.below(width - columns + 1);
  const box: Box = [top, left, top + rows, left + columns];
  return { kind, first, second, lambda: 1 - (rows * columns) / (height * width), box };
}

function otherThan(first: number, count: number, random: Philox): number {
  const other = random.below(count - 1);
  return other < first ? other : other + 1;
}

function neighbourOf(first: number, neighbours: Uint32Array, count: number, random: Philox): number {
  const each = neighbours.length / count;
  return neighbours[first * each + random.below(each)];
}

/** Compositions as the image kernel takes them, on the host. */
export interface CompositionTable {
  readonly first: Uint32Array;
  readonly second: Uint32Array;
  readonly weight: Uint32Array;
  /** Two words each. */
  readonly box: Uint32Array;
  /** What the warps of the two images are drawn for, two each. */
  readonly keys: Uint32Array;
}

/** The table of compositions, whose numbers are given beside. */
export function tabulate(compositions: readonly Composition[], candidates: ArrayLike<number>): CompositionTable {
  const box = new Uint32Array(2 * compositions.length);
  const keys = new Uint32Array(2 * compositions.length);
  for (const [row, composition] of compositions.entries()) {
    const [top, left, bottom, right] = composition.box ?? [0, 0, 0, 0];
    box.set([top | (bottom << 16), left | (right << 16)], 2 * row);
    keys.set([2 * candidates[row], 2 * candidates[row] + 1], 2 * row);
  }
  return {
    first: Uint32Array.from(compositions, ({ first }) => first),
    second: Uint32Array.from(compositions, ({ second }) => second),
    weight: Uint32Array.from(compositions, ({ kind, lambda }) =>
      kind === "mix" ? lambdaWeight(lambda) : WHOLE_WEIGHT,
    ),
    box,
    keys,
  };
}
