/** Finds and reads IDX images and their labels on disk, in Node. */
import { basename, dirname, join } from "node:path";
import { idxImageSet, parseIdxHeader, parseIdxImages, parseIdxLabels, type IdxKind } from "./idx.js";
import type { ImageSet } from "./image-set.js";
import { pathKind, readGzipOrPlain, type FolderEntries } from "./read-file.node.js";
import { chooseSplit, type Split } from "./split.js";

/** How the files of a split begin. MNIST's own name for its test split is t10k. */
const PREFIX: Record<Split, string> = { train: "train", test: "t10k" };

function readIdx(path: string, kind: IdxKind): Promise<Uint8Array<ArrayBuffer>> {
  return readGzipOrPlain(path, (first) => parseIdxHeader(first, path, kind).byteLength);
}

/** The name of a split's images file among `files`: with "-" or "." before "idx3", plain before .gz. */
function findImages(files: string[], split: Split): string | undefined {
  return ["-", "."]
    .flatMap((mark) => [`${PREFIX[split]}-images${mark}idx3-ubyte`, `${PREFIX[split]}-images${mark}idx3-ubyte.gz`])
    .find((name) => files.includes(name));
}

/** Where the labels of an images file are expected: the same name with labels and idx1, .gz or not; none if it has no such name. */
function labelPaths(imagesPath: string): string[] {
  const name = basename(imagesPath).replace(/\.gz$/, "");
  const labels = name.replace(/images([-.])idx3/, "labels$1idx1");
  if (labels === name) return [];
  return [labels, `${labels}.gz`].map((file) => join(dirname(imagesPath), file));
}

/**
 * Reads an IDX images file, plain or gzip, and the labels file beside it (`…labels-idx1…` for `…images-idx3…`), if
 * there is one.
 * @throws InputError if either is damaged, or they do not belong together
 */
export async function openIdxFile(path: string, name = path): Promise<ImageSet> {
  const images = parseIdxImages(await readIdx(path, "images"), path);
  for (const labelPath of labelPaths(path)) {
    if ((await pathKind(labelPath)) !== "file") continue;
    return idxImageSet(name, images, parseIdxLabels(await readIdx(labelPath, "labels"), labelPath));
  }
  return idxImageSet(name, images);
}

/** The splits that a folder holds as IDX files with MNIST's names. */
export function idxSplits(folder: FolderEntries): Split[] {
  return (["train", "test"] as const).filter((split) => findImages(folder.files, split) !== undefined);
}

/**
 * Reads one split of a folder of IDX files: `train-images-idx3-ubyte` or `t10k-images-idx3-ubyte`, plain or .gz.
 * @throws InputError if the folder does not hold `split`, or its files are damaged
 */
export function openIdxFolder(folder: FolderEntries, split: Split | undefined): Promise<ImageSet> {
  const chosen = chooseSplit(folder.path, idxSplits(folder), split);
  return openIdxFile(join(folder.path, findImages(folder.files, chosen)!), `${folder.path}:${chosen}`);
}
