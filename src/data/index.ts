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

/** Opens `PATH` or `PATH:SPLIT` from disk, in Node: see `openImageSet` of `open.node.ts`. */
export async function openImageSet(spec: string, options?: OpenOptions): Promise<ImageSet> {
  const node = await import("./open.node.js");
  return node.openImageSet(spec, options);
}

/**
 * Decodes image files to images of one size, in Node: see `decodeImages` of `decode-images.node.ts`. For more files than
 * memory holds, call it for some after the others, with `size` and `channels`.
 */
export async function decodeImages(paths: readonly string[], options?: DecodeImagesOptions): Promise<DecodedImages> {
  const node = await import("./decode-images.node.js");
  return node.decodeImages(paths, options);
}
