import { InputError } from "../errors.js";
import type { ImageSet } from "../data/index.js";
import type { NetworkSpec } from "../nn/index.js";

/** What a new network for the images is: normalised by their own mean and deviation. */
export function specFor(architecture: string, images: ImageSet, classes: number, classNames?: string[]): NetworkSpec {
  const { channels, height, width } = images;
  const scales = Array.from({ length: channels }, (_, channel) => channelScale(images, channel));
  return {
    architecture,
    image: { channels, height, width },
    classes,
    mean: scales.map(({ mean }) => mean),
    deviation: scales.map(({ deviation }) => deviation),
    ...(classNames ? { classNames } : {}),
  };
}

/** Mean and standard deviation of a channel's pixels, as shares of 255. */
function channelScale(images: ImageSet, channel: number): { mean: number; deviation: number } {
  const size = images.height * images.width;
  let sum = 0;
  let squares = 0;
  for (let image = 0; image < images.count; image++) {
    const start = (image * images.channels + channel) * size;
    for (let pixel = start; pixel < start + size; pixel++) {
      sum += images.pixels[pixel];
      squares += images.pixels[pixel] ** 2;
    }
  }
  const count = images.count * size;
  const mean = sum / count;
  // Images of one colour have no deviation; 1 of 255 keeps the division defined.
  const deviation = Math.max(1, Math.sqrt(Math.max(0, squares / count - mean ** 2)));
  return { mean: round(mean / 255), deviation: round(deviation / 255) };
}

function round(value: number): number {
  return Number(value.toFixed(4));
}

/**
 * Requires images with named classes to have the network's names, in the same order: labels are compared by number.
 * @throws InputError that names the first difference; nothing where one of the two has no names.
 */
export function checkClassNames(images: ImageSet, names: readonly string[] | undefined): void {
  const own = images.classNames;
  if (!own || !names) return;
  const at = Array.from({ length: Math.max(own.length, names.length) }).findIndex(
    (_, index) => own[index] !== names[index],
  );
  if (at < 0) return;
  throw new InputError(
    `${images.name}: class ${at} is "${own[at] ?? "missing"}"; expected "${names[at] ?? "no further class"}": ` +
      `give images with the classes that the network was trained on`,
  );
}
