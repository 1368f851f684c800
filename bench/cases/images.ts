import { blend, blendImages, WHOLE_WEIGHT } from "../../src/kernels/index.js";
import { sizeOf, type Shape } from "../../src/tensor/index.js";
import { drawn, kernelCase, random, randomImages, recorded, traffic, type Case } from "./case.js";

/**
 * Gathers two 8-bit images for each of the batch, blends, rounds and normalises them: two bytes are read and four
 * written for each value.
 */
function imageCase(shape: Shape): Case {
  const [batch, channels] = shape;
  return {
    name: `image kernel [${shape.join(",")}]`,
    work: traffic(6 * sizeOf(shape)),
    record: (device) => {
      const images = randomImages(device, shape);
      const pairs = {
        first: drawn(device, batch, () => random.below(batch)),
        second: drawn(device, batch, () => random.below(batch)),
        weight: drawn(device, batch, () => random.below(WHOLE_WEIGHT)),
      };
      const options = { mean: new Array<number>(channels).fill(0.5), std: new Array<number>(channels).fill(0.25) };
      return recorded(device, [images, ...Object.values(pairs)], (recorder) =>
        blendImages(recorder, images, pairs, options),
      );
    },
  };
}

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
  imageCase([1024, 1, 28, 28]),
  imageCase([1024, 3, 32, 32]),
  imageCase([64, 3, 224, 224]),
  blendCase([256, 3, 224, 224]),
];
