/** Image sets: from files, and drawn. Loads in a browser too; only calls of {@link openImageSet} and {@link decodeImages} need Node. */
import type { DecodedImages, DecodeImagesOptions } from "./decode-images.node.js";
import type { OpenOptions } from "./image-folder.node.js";
import type { ImageSet } from "./image-set.js";

export { parseCifar10, parseCifar100, parseCifarClassNames, cifarImageSet } from "./cifar-binary.js";
export type { CifarBatch, CifarKind } from "./cifar-binary.js";
export { drawDigits } from "./digits.js";
export type { DigitsOptions } from "./digits.js";
export { idxImageSet, parseIdxHeader, parseIdxImages, parseIdxLabels } from "./idx.js";
export type { IdxHeader, IdxImages, IdxKind, IdxLabels } from "./idx.js";
export { fits } from "./image-options.js";
export type { DecodeWatch, Fit, ImageOptions, ImageSize, Rgb, UnreadableImage } from "./image-options.js";
export {
  bytesPerImage,
  checkLabels,
  countClasses,
  sameImages,
  sampleImages,
  sampleIndices,
  subset,
} from "./image-set.js";
export type { ImageSet } from "./image-set.js";
export type { DecodedImages, DecodeImagesOptions, OpenOptions };

/**
 * Opens the image set `PATH`, or `PATH:SPLIT` with split `train` or `test`, from disk, in Node: an IDX file of images
 * with its labels beside it; or a folder of such, of CIFAR-10 or CIFAR-100 binary files, or of PNG, JPEG and WebP
 * images, in class subfolders or not. Without a split, a folder that holds both gives train.
 * @param options how image files become images of one size; IDX and CIFAR stay as they are
 * @throws InputError, in one line, for whatever is missing, damaged, inconsistent or of a kind that is not read; what
 * `signal` is aborted with
 */
export async function openImageSet(spec: string, options?: OpenOptions): Promise<ImageSet> {
  const node = await import("./open.node.js");
  return node.openImageSet(spec, options);
}

/**
 * Decodes PNG, JPEG and WebP files to images of one size, N C H W, in Node: 1 channel if all are grey, else 3, unless
 * `channels` says otherwise. For more files than memory holds, call it for some after the others, with `size` and
 * `channels`.
 * @param paths at least 1
 * @throws InputError for files that cannot be read (but with `skipBad`, unless that is all of them), images of several
 * sizes and no `size`, more than 2^31 − 1 bytes of pixels, or where the package `sharp` is needed and missing; what
 * `signal` is aborted with
 */
export async function decodeImages(paths: readonly string[], options?: DecodeImagesOptions): Promise<DecodedImages> {
  const node = await import("./decode-images.node.js");
  return node.decodeImages(paths, options);
}
