/** Opens an image set by the name that the user gives it, in Node. */
import { join } from "node:path";
import { InputError } from "../errors.js";
import { cifarKind, openCifarFolder } from "./cifar-folder.node.js";
import { idxSplits, openIdxFile, openIdxFolder } from "./idx.node.js";
import { listImages, openImageFolder, READABLE, type OpenOptions } from "./image-folder.node.js";
import { isImage } from "./image-header.js";
import type { ImageSet } from "./image-set.js";
import { listFolder, pathKind, type FolderEntries, type PathKind } from "./read-file.node.js";
import { chooseSplit, isSplit, type Split } from "./split.js";

interface Location {
  path: string;
  kind: PathKind;
  split: Split | undefined;
}

/** `PATH` if it exists as it stands, colons and all; else `PATH:SPLIT`. */
async function parseSpec(spec: string): Promise<Location> {
  const whole = await pathKind(spec);
  const colon = spec.lastIndexOf(":");
  if (whole !== "missing" || colon < 0) return { path: spec, kind: whole, split: undefined };
  const path = spec.slice(0, colon);
  const split = spec.slice(colon + 1);
  const kind = await pathKind(path);
  if (kind === "missing" || isSplit(split)) return { path, kind, split: isSplit(split) ? split : undefined };
  throw new InputError(`${spec}: "${split}" is no split, expected train or test; write ${path}:train or ${path}:test`);
}

/** A folder with a `train` and a `test` subfolder has splits, and so has one that holds nothing else than one of them. */
function subfolderSplits({ files, folders }: FolderEntries): Split[] {
  const splits = folders.filter(isSplit).reverse();
  const alone = folders.length === splits.length && !files.some(isImage);
  return splits.length === 2 || alone ? splits : [];
}

async function openFolder(path: string, split: Split | undefined, options: OpenOptions): Promise<ImageSet> {
  const folder = await listFolder(path);
  if (idxSplits(folder).length > 0) return asStored(await openIdxFolder(folder, split), options);
  const cifar = cifarKind(folder);
  if (cifar) return asStored(await openCifarFolder(folder, cifar, split), options);
  const splits = split && folder.folders.includes(split) ? [split] : subfolderSplits(folder);
  if (splits.length === 0 && split === undefined) return openImageFolder(folder, path, options);
  // Where there are no images at all, that is what the user must hear, not that a split is missing.
  if (splits.length === 0) await listImages(folder);
  const chosen = chooseSplit(path, splits, split);
  return openImageFolder(await listFolder(join(path, chosen)), `${path}:${chosen}`, options);
}

/**
 * A set that has one size and kind of pixels by its format, which stays as it is.
 * @throws InputError where another size or number of channels is asked for
 */
function asStored(set: ImageSet, { size, channels }: OpenOptions): ImageSet {
  const { height, width } = size ?? set;
  if (height !== set.height || width !== set.width || (channels ?? set.channels) !== set.channels) {
    const asked = [...(size ? [`--size ${height}x${width}`] : []), ...(channels ? [`--channels ${channels}`] : [])];
    throw new InputError(
      `${set.name}: images of ${set.channels}x${set.height}x${set.width}, which stay as they are, and ${asked.join(" and ")} asks for others; leave that out, or give a folder of image files`,
    );
  }
  return set;
}

/**
 * Opens the image set that `spec` names: `PATH`, or `PATH:SPLIT` with split `train` or `test`. What a path holds is
 * told from the path itself, in this order:
 *
 * - a file: IDX images, plain or gzip, with the labels file beside it;
 * - a folder of IDX files with MNIST's names; of CIFAR-10 or CIFAR-100 binary files; of PNG, JPEG and WebP images, in
 *   class subfolders or not, and below a `train` or `test` subfolder where there are splits.
 *
 * Without a split, a folder that holds both gives train. The set's name is `PATH:SPLIT`, or `PATH` where there is none.
 * @param options how image files become images of one size, for folders of such; IDX and CIFAR stay as they are
 * @throws InputError, in one line, for whatever is missing, damaged, inconsistent or of a kind that is not read
 */
export async function openImageSet(spec: string, options: OpenOptions = {}): Promise<ImageSet> {
  const { path, kind, split } = await parseSpec(spec);
  if (kind === "folder") return openFolder(path, split, options);
  if (kind === "missing") {
    throw new InputError(`${spec}: there is no file or folder ${path}, expected ${READABLE}; check the path`);
  }
  if (kind === "other") {
    throw new InputError(`${path}: neither a file nor a folder, expected ${READABLE}; check the path`);
  }
  if (isImage(path)) throw new InputError(`${spec}: is one image file; name the folder that holds the images`);
  if (split === undefined) return asStored(await openIdxFile(path), options);
  throw new InputError(
    `${spec}: asks for the ${split} split of one file, expected a folder with splits; write ${path} alone`,
  );
}
