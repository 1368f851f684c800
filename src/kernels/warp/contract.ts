import { InputError, ShapeError } from "../../errors.js";
import { expectRank, expectShape, type Shape } from "../../tensor/shape.js";
import { expectDType, type Tensor } from "../../tensor/tensor.js";
import { expectCounter, expectUint32 } from "../expect.js";
import { blendShape, expectNormalisation, type Blend } from "../mixup/contract.js";

/**
 * Words of a warp without displacements: matrix (4), translation (2), whether displacements follow that count, and what
 * pixels are multiplied by.
 */
export const AFFINE_WORDS = 8;

/** Nodes of the grid of displacements along each axis. */
export const GRID_SIDE = 5;

/** Words of a warp with displacements: two for each node of the grid. */
export const WARP_WORDS = AFFINE_WORDS + 2 * GRID_SIDE * GRID_SIDE;

/** 1 in fixed point: numbers of a warp are whole 65536ths. */
export const ONE = 65536;

/** Longest side of an image, so that positions in 65536ths of a pixel stay within 32 bits. */
const LONGEST_SIDE = 4096;

/**
 * How far images are warped at random. All but `share`, `elastic` and `flip` are the largest value of a number that is
 * uniform in −largest … largest.
 */
export interface WarpRanges {
  /** Probability that an image is warped at all, 0 to 1; the others stay where they are, but for the flip. */
  readonly share: number;
  /** Degrees, 0 to 45. */
  readonly rotation: number;
  /** Relative change of size, 0 to 0.5. */
  readonly scale: number;
  /** Pixels that a row moves sideways for each row from the middle, 0 to 0.5. */
  readonly shear: number;
  /** Pixels on each axis, 0 to 16, whole or not. */
  readonly shift: number;
  /** Standard deviation, in pixels, of a 5 × 5 grid of Gaussian displacements, bilinear between them; 0 to 4. */
  readonly elastic: number;
  /** Relative change of the values of pixels, which stay within 0 to 255; 0 to 1, 0 where absent. */
  readonly brightness?: number | undefined;
  /** Exchange left and right with probability ½, whether otherwise warped or not. */
  readonly flip: boolean;
}

/** What random warps follow from. */
export interface DrawWarpsOptions {
  readonly ranges: WarpRanges;
  /** 0 to 2^32 − 1. */
  readonly seed: number;
  /** One of RandomStream: draws of different streams are independent. */
  readonly stream: number;
  /** What each warp is drawn for, u32 [count]: equal keys have equal warps. The warp's own number where absent. */
  readonly keys?: Tensor<"u32"> | undefined;
  /** Step number, u32 [1]: warps are drawn anew at each. 0 where absent. */
  readonly counter?: Tensor<"u32"> | undefined;
}

/** Subtracts `mean` from pixels of 0 to 1 and divides by `std`: one number each for each channel. */
export interface Normalisation {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** B images, each made of two warped ones: mixed, and the second cut into a box of the mix. */
export interface Composition extends Blend {
  /** `[B, 2]`: y0 | y1 << 16 and x0 | x1 << 16 of the box y0 ≤ y < y1, x0 ≤ x < x1; 0 and 0 for none. */
  readonly box: Tensor<"u32">;
  /** `[2B, words]`: row 2b warps the first image, row 2b + 1 the second. */
  readonly warps: Tensor<"u32">;
}

/** {@link WarpRanges} in whole numbers, by which warps are drawn. */
export interface FixedRanges {
  /** In 65536ths, as all that follow. */
  readonly share: number;
  /** Radians. */
  readonly rotation: number;
  readonly scale: number;
  readonly shear: number;
  /** Pixels. */
  readonly shift: number;
  /** 2048ths of a pixel's 65536ths for one unit of the sum of four 16-bit numbers: √3 · 2048 · deviation. */
  readonly elastic: number;
  /** In 65536ths. */
  readonly brightness: number;
  /** 0 or 1. */
  readonly flip: number;
}

const LARGEST = { share: 1, rotation: 45, scale: 0.5, shear: 0.5, shift: 16, elastic: 4, brightness: 1 } as const;

/**
 * Words of a warp that is drawn from `ranges`: {@link WARP_WORDS}, or {@link AFFINE_WORDS} where `elastic` is 0.
 */
export function warpWords({ elastic }: WarpRanges): number {
  return elastic > 0 ? WARP_WORDS : AFFINE_WORDS;
}

/**
 * The ranges in fixed point.
 * @throws InputError where one is not a number from 0 to the largest that {@link WarpRanges} names.
 */
export function fixedRanges(operation: string, given: WarpRanges): FixedRanges {
  const ranges = { ...given, brightness: given.brightness ?? 0 };
  for (const name of Object.keys(LARGEST) as (keyof typeof LARGEST)[]) {
    if (!(ranges[name] >= 0 && ranges[name] <= LARGEST[name])) {
      throw new InputError(`${operation}: ${name} is ${ranges[name]}; expected a number from 0 to ${LARGEST[name]}`);
    }
  }
  const { share, rotation, scale, shear, shift, elastic, brightness, flip } = ranges;
  return {
    share: Math.round(share * ONE),
    rotation: Math.round(((rotation * Math.PI) / 180) * ONE),
    scale: Math.round(scale * ONE),
    shear: Math.round(shear * ONE),
    shift: Math.round(shift * ONE),
    // Four uniform numbers of 16 bits have a deviation of 65536 / √3.
    elastic: Math.round(elastic * Math.sqrt(3) * 2048),
    brightness: Math.round(brightness * ONE),
    flip: Number(flip),
  };
}

/**
 * Shape of `count` drawn warps.
 * @throws what drawWarps throws.
 */
export function drawWarpsShape(count: number, options: DrawWarpsOptions): Shape {
  const operation = "drawWarps";
  const { ranges, seed, stream, keys, counter } = options;
  if (!Number.isInteger(count) || count < 1) {
    throw new ShapeError(`${operation}: count is ${count}; expected a whole number from 1 up`);
  }
  fixedRanges(operation, ranges);
  expectUint32(operation, "seed", seed);
  expectUint32(operation, "stream", stream);
  if (keys) {
    expectShape(operation, "keys", keys.shape, [count]);
    expectDType(operation, "keys", keys, "u32");
  }
  if (counter) expectCounter(operation, counter);
  return [count, warpWords(ranges)];
}

/** Requires `rows` warps of either length. */
function expectWarps(operation: string, warps: Tensor, rows: number): void {
  expectRank(operation, "warps", warps.shape, "B words");
  expectDType(operation, "warps", warps, "u32");
  const [found, words] = warps.shape;
  if (found === rows && (words === AFFINE_WORDS || words === WARP_WORDS)) return;
  const expected = [AFFINE_WORDS, WARP_WORDS].map((length) => `[${rows}, ${length}]`).join(" or ");
  throw new ShapeError(`${operation}: warps is [${warps.shape.join(", ")}]; expected ${expected}`);
}

/**
 * Shape of the warped blends of `images`.
 * @throws what warpBlends throws.
 */
export function warpShape(images: Tensor, blend: Blend, warps: Tensor, normalisation: Normalisation): Shape {
  const operation = "warpBlends";
  const shape = blendShape(operation, images, blend);
  expectNormalisation(operation, shape, normalisation);
  expectSides(operation, shape);
  expectWarps(operation, warps, shape[0]);
  return shape;
}

/**
 * Shape of the compositions of `images`.
 * @throws what composeImages throws.
 */
export function compositionShape(images: Tensor, composition: Composition, normalisation: Normalisation): Shape {
  const operation = "composeImages";
  const { first, second, weight, box, warps } = composition;
  const shape = blendShape(operation, images, { first, second, weight });
  expectNormalisation(operation, shape, normalisation);
  expectSides(operation, shape);
  expectShape(operation, "box", box.shape, [shape[0], 2]);
  expectDType(operation, "box", box, "u32");
  expectWarps(operation, warps, 2 * shape[0]);
  return shape;
}

/**
 * Requires sides that fixed-point positions reach.
 * @throws ShapeError where one is longer than 4096 pixels.
 */
export function expectSides(operation: string, shape: Shape): void {
  const [height, width] = shape.slice(-2);
  if (Math.max(height, width) <= LONGEST_SIDE) return;
  throw new ShapeError(
    `${operation}: images are ${height} × ${width} pixels; expected sides of at most ${LONGEST_SIDE}`,
  );
}

/** 65536ths of a grid's cell from one of `length` pixels to the next; the outermost pixels lie on the outermost nodes. */
export function gridStep(length: number): number {
  return length > 1 ? Math.floor(((GRID_SIDE - 1) * ONE) / (length - 1)) : 0;
}
