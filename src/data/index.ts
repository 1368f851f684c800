/** Image sets: from files, and drawn. Loads in a browser too; only a call of {@link openImageSet} needs Node. */
import type { ImageSet } from "./image-set.js";

export { parseCifar10, parseCifar100, parseCifarClassNames, cifarImageSet } from "./cifar-binary.js";
export type { CifarBatch, CifarKind } from "./cifar-binary.js";
export { drawDigits } from "./digits.js";
export type { DigitsOptions } from "./digits.js";
export { idxImageSet, parseIdxHeader, parseIdxImages, parseIdxLabels } from "./idx.js";
export type { IdxHeader, IdxImages, IdxKind, IdxLabels } from "./idx.js";
export { bytesPerImage, checkLabels, countClasses, sampleImages, sampleIndices, subset } from "./image-set.js";
export type { ImageSet } from "./image-set.js";

/** Opens `PATH` or `PATH:SPLIT` from disk, in Node: see `openImageSet` of `open.node.ts`. */
export async function openImageSet(spec: string): Promise<ImageSet> {
  const node = await import("./open.node.js");
  return node.openImageSet(spec);
}
