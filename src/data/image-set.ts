import { InputError } from "../errors.js";
import { Philox, RandomStream } from "../tensor/random.js";
import type { UnreadableImage } from "./image-options.js";

/** Images of one size, 8 bits a channel, with or without labels. */
export interface ImageSet {
  /** What messages and reports call the set: the path and split it was read from. */
  name: string;
  count: number;
  /** 1 (grey) or 3 (red, green, blue). */
  channels: number;
  height: number;
  width: number;
  /** N C H W, 0 to 255. May be a view into a larger buffer: mind `byteOffset`. */
  pixels: Uint8Array<ArrayBuffer>;
  /** One class index an image, below `classes`; undefined where the source has no labels. */
  labels: Uint8Array | Uint32Array | undefined;
  /** Highest label + 1, or the count that the source's format or class folders give; 0 without labels. */
  classes: number;
  /** Name of each class by label, where the source has names. */
  classNames?: string[];
  /** Image files that were left out since they cannot be read; absent where there are none. */
  unreadable?: UnreadableImage[];
}

/** Whether two sets hold as many images and the same pixels in the same order; shapes and labels are not compared. */
export function sameImages(a: ImageSet, b: ImageSet): boolean {
  const { length } = a.pixels;
  if (a.count !== b.count || length !== b.pixels.length) return false;
  for (let index = 0; index < length; index++) if (a.pixels[index] !== b.pixels[index]) return false;
  return true;
}

/** Highest label + 1; 0 for no labels. */
export function countClasses(labels: Uint8Array | Uint32Array): number {
  let highest = -1;
  for (const label of labels) if (label > highest) highest = label;
  return highest + 1;
}

/** Bytes of one image: channels × height × width. */
export function bytesPerImage(set: Pick<ImageSet, "channels" | "height" | "width">): number {
  return set.channels * set.height * set.width;
}

/**
 * A copy of the images at `indices`, in that order, with their labels. Classes and their names stay the whole set's.
 * @throws RangeError if an index is not a whole number below `set.count`
 */
export function subset(set: ImageSet, indices: ArrayLike<number>): ImageSet {
  const size = bytesPerImage(set);
  const pixels = new Uint8Array(indices.length * size);
  const labels =
    set.labels && (set.labels instanceof Uint8Array ? new Uint8Array(indices.length) : new Uint32Array(indices.length));
  for (let position = 0; position < indices.length; position++) {
    const index = indices[position];
    if (!Number.isInteger(index) || index < 0 || index >= set.count) {
      throw new RangeError(
        `subset: index ${index} at position ${position} is outside ${set.name}, which holds ${set.count} images`,
      );
    }
    pixels.set(set.pixels.subarray(index * size, (index + 1) * size), position * size);
    if (labels) labels[position] = set.labels![index];
  }
  return { ...set, count: indices.length, pixels, labels };
}

/**
 * Indices of `n` distinct images, ascending, drawn uniformly with `seed`, 0 to 2^32 − 1. Labels are not looked at, so
 * the choice is the same with and without them (PAPER step 1: the few images that the user has).
 * @throws InputError if `n` is not a whole number from 1 to `set.count`; RangeError if `seed` is out of range
 */
export function sampleIndices(set: ImageSet, n: number, seed: number): Uint32Array<ArrayBuffer> {
  if (!Number.isInteger(n) || n < 1) {
    throw new InputError(`--n is ${n}, expected a whole number of images from 1 to ${set.count}; choose another --n`);
  }
  if (n > set.count) {
    throw new InputError(
      `--n is ${n}, but ${set.name} holds only ${set.count} images; choose --n from 1 to ${set.count}`,
    );
  }
  return new Philox(seed, RandomStream.images).sample(n, set.count);
}

/**
 * The images of {@link sampleIndices}, in the order in which the set holds them.
 * @throws what {@link sampleIndices} throws
 */
export function sampleImages(set: ImageSet, n: number, seed: number): ImageSet {
  return subset(set, sampleIndices(set, n, seed));
}

/**
 * Checks that every label of `set` is below `classes`, the number of outputs of a network.
 * @throws InputError naming the set, the first such label and its image
 */
export function checkLabels(set: ImageSet, classes: number): void {
  const index = set.labels ? set.labels.findIndex((label) => label >= classes) : -1;
  if (index < 0) return;
  throw new InputError(
    `${set.name}: image ${index} has label ${set.labels![index]}, expected labels from 0 to ${classes - 1}; use images and a network with the same classes`,
  );
}
