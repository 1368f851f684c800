import fc from "fast-check";
import { drawWarpsReference, warpPixelsReference, type WarpRanges } from "../../../src/kernels/warp/index.js";
import { Philox, RandomStream, type Shape } from "../../../src/tensor/index.js";
import { anySeed, type Input } from "../harness.js";

/** Moves nothing. */
export const STILL: WarpRanges = { share: 1, rotation: 0, scale: 0, shear: 0, shift: 0, elastic: 0, flip: false };
/** As far as it goes, for four images of five. */
export const WILD: WarpRanges = {
  ...{ share: 0.8, rotation: 45, scale: 0.5, shear: 0.5, shift: 16, elastic: 4 },
  ...{ brightness: 1, flip: true },
};

/** Takes pixels to f32 without changing them. */
export const asTheyAre = (channels: number) => ({
  mean: new Array<number>(channels).fill(0),
  std: new Array<number>(channels).fill(1 / 255),
});

/** A u32 input, of one axis unless told otherwise. */
export const u32 = (data: ArrayLike<number>, shape: Shape = [data.length]): Input<"u32"> => ({
  shape,
  dtype: "u32",
  data,
});

/** Images of random pixels. */
export function randomImages(shape: Shape, seed: number): Input<"u8"> {
  const random = new Philox(seed);
  const size = shape.reduce((product, length) => product * length, 1);
  return { shape, dtype: "u8", data: Uint8Array.from({ length: size }, () => random.below(256)) };
}

/** Blends of n images, plain copies (weight 0 and 65536, an image with itself) among them, and numbers past the end. */
export function randomBlend(batch: number, n: number, seed: number) {
  const random = new Philox(seed, 1);
  const weights = [0, 65536, 32768, 1, random.below(65537), random.below(65537)];
  const draw = (value: () => number) => u32(Uint32Array.from({ length: batch }, value));
  return {
    first: draw(() => random.below(n + 1)),
    second: draw(() => random.below(n)),
    weight: draw(() => weights[random.below(weights.length)]),
  };
}

/** Boxes, empty, whole and reaching past the image among them. */
export function randomBoxes(batch: number, height: number, width: number, seed: number): Input<"u32"> {
  const random = new Philox(seed, 2);
  const side = (length: number) => random.below(length + 1) | (random.below(length + 3) << 16);
  const boxes = Array.from({ length: batch }, () => {
    const some = [
      [0, 0],
      [height << 16, width << 16],
      [side(height), side(width)],
      [side(height), side(width)],
    ];
    return some[random.below(4)];
  });
  return u32(Uint32Array.from(boxes.flat()), [batch, 2]);
}

const number = (most: number) =>
  fc.oneof(
    fc.constantFrom(0, most),
    fc.nat(999).map((part) => (part / 1000) * most),
  );
/** Ranges with nothing and everything among them. */
export const anyRanges: fc.Arbitrary<WarpRanges> = fc.record({
  share: number(1),
  rotation: number(45),
  scale: number(0.5),
  shear: number(0.5),
  shift: number(16),
  elastic: number(4),
  brightness: number(1),
  flip: fc.boolean(),
});

/** Sizes of a set of images and of a batch: rows that are whole words and others, one pixel, one image. */
export const problem = fc.record({
  n: fc.constantFrom(1, 2, 5),
  channels: fc.constantFrom(1, 3, 4),
  height: fc.constantFrom(1, 3, 8, 19),
  width: fc.constantFrom(1, 5, 8, 13, 28, 40),
  batch: fc.constantFrom(1, 2, 7),
  seed: anySeed,
  ranges: anyRanges,
});

/** 0 … count − 1. */
export const keysTo = (count: number) => Array.from({ length: count }, (_, key) => key);
/** Warps of keys 0 … count − 1, by the reference. */
export const draws = (count: number, ranges: WarpRanges, seed = 1) =>
  drawWarpsReference(keysTo(count), { ranges, seed, stream: RandomStream.warp, step: 0 });

/** Pixels of images of `shape` C H W, each warped by the words of its row. */
export function warped(images: Input<"u8">, warps: Uint32Array): Uint8Array {
  const numbers = Uint32Array.from({ length: images.shape[0] }, (_, image) => image);
  const blend = { first: numbers, second: numbers, weight: numbers.map(() => 65536) };
  return warpPixelsReference(images.data as Uint8Array, blend, warps, images.shape.slice(1));
}
