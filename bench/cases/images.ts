import { blendImages, WHOLE_WEIGHT } from "../../src/kernels/index.js";
import { sizeOf, type Shape } from "../../src/tensor/index.js";
import { drawn, random, randomImages, recorded, traffic, type Case } from "./case.js";

/**
 * Gathers two 8-bit images for each of the batch, blends, rounds and normalises them: two bytes are read and four
 * written for each value.
 */
function imageCase(shape: Shape, full = false): Case {
  const [batch, channels] = shape;
  return {
    name: `image kernel [${shape.join(",")}]`,
    work: traffic(6 * sizeOf(shape)),
    full,
    record: (device) => {
      const images = randomImages(device, shape);
      const blend = {
        first: drawn(device, batch, () => random.below(batch)),
        second: drawn(device, batch, () => random.below(batch)),
        weight: drawn(device, batch, () => random.below(WHOLE_WEIGHT)),
      };
      const options = { mean: new Array<number>(channels).fill(0.5), std: new Array<number>(channels).fill(0.25) };
      return recorded(device, [images, ...Object.values(blend)], (recorder) =>
        blendImages(recorder, images, blend, options),
      );
    },
  };
}

export const imageCases: readonly Case[] = [
  imageCase([1024, 1, 28, 28]),
  imageCase([1024, 3, 32, 32]),
  imageCase([64, 3, 224, 224]),
];
