import {
  blend,
  blendImages,
  composeImages,
  drawWarps,
  warpBlends,
  WHOLE_WEIGHT,
  type Composition,
  type Normalisation,
} from "../../src/kernels/index.js";
import { RandomStream, reshape, sizeOf, type Recorder, type Shape, type Tensor } from "../../src/tensor/index.js";
import { drawn, kernelCase, random, randomImages, recorded, traffic, type Case } from "./case.js";

/**
 * Shows a network two 8-bit images for each of the batch, mixed or cut by `kernel`: two bytes are read and four written
 * for each value.
 */
function imageCase(
  name: string,
  shape: Shape,
  kernel: (
    recorder: Recorder,
    images: Tensor<"u8">,
    blends: Omit<Composition, "warps">,
    norm: Normalisation,
  ) => unknown,
): Case {
  const [batch, channels, height, width] = shape;
  return {
    name: `${name} [${shape.join(",")}]`,
    work: traffic(6 * sizeOf(shape)),
    record: (device) => {
      const images = randomImages(device, shape);
      const sides = drawn(device, 2 * batch, () => random.below(height / 2) | (random.below(width) << 16));
      const pairs = {
        first: drawn(device, batch, () => random.below(batch)),
        second: drawn(device, batch, () => random.below(batch)),
        weight: drawn(device, batch, () => random.below(WHOLE_WEIGHT)),
        box: reshape(sides, [batch, 2]),
      };
      const options = { mean: new Array<number>(channels).fill(0.5), std: new Array<number>(channels).fill(0.25) };
      return recorded(device, [images, pairs.first, pairs.second, pairs.weight, sides], (recorder) =>
        kernel(recorder, images, pairs, options),
      );
    },
  };
}

/** Draws `count` warps, all of them elastic. */
function warpsOf(recorder: Recorder, count: number): Tensor<"u32"> {
  const ranges = { share: 1, rotation: 15, scale: 0.1, shear: 0.1, shift: 2, elastic: 1, flip: true };
  return drawWarps(recorder, count, { ranges, seed: 1, stream: RandomStream.augment });
}

const blendRow = (shape: Shape) => imageCase("image kernel", shape, blendImages);

const warpRow = (shape: Shape) =>
  imageCase("warp images", shape, (recorder, images, blends, options) =>
    warpBlends(recorder, images, blends, warpsOf(recorder, shape[0]), options),
  );

const composeRow = (shape: Shape) =>
  imageCase("compose images", shape, (recorder, images, blends, options) =>
    composeImages(recorder, images, { ...blends, warps: warpsOf(recorder, 2 * shape[0]) }, options),
  );

/** λ·a + (1 − λ)·b of f32 images: two numbers are read and one is written. */
function blendCase(shape: Shape): Case {
  return kernelCase(
    `blend f32 [${shape.join(",")}]`,
    traffic(12 * sizeOf(shape)),
    [shape, shape, [shape[0]]],
    (recorder, [a, b, weights]) => blend(recorder, a, b, weights),
  );
}

export const imageCases: readonly Case[] = [
  blendRow([1024, 1, 28, 28]),
  blendRow([1024, 3, 32, 32]),
  blendRow([64, 3, 224, 224]),
  warpRow([1024, 1, 28, 28]),
  warpRow([1024, 3, 32, 32]),
  composeRow([1024, 1, 28, 28]),
  composeRow([1024, 3, 32, 32]),
  blendCase([256, 3, 224, 224]),
];
