/** What `predict` is to look at: image files, folders of them, and data sets. */
import { join } from "node:path";
import { cifarKind } from "../../src/data/cifar-folder.node.js";
import { listBelow } from "../../src/data/image-folder.node.js";
import { isImage, KINDS } from "../../src/data/image-header.js";
import { idxSplits } from "../../src/data/idx.node.js";
import { openImageSet, type ImageSet } from "../../src/data/index.js";
import { listFolder, pathKind } from "../../src/data/read-file.node.js";
import { InputError } from "../../src/errors.js";

/** Images by their paths. */
export interface ImageFiles {
  readonly kind: "files";
  readonly paths: string[];
}

/** The images of a data set, called `#0`, `#1` and so on. */
export interface DataSet {
  readonly kind: "set";
  /** Stands before the names; nothing where there is nothing else to tell the set from. */
  readonly prefix: string;
  readonly images: ImageSet;
}

export type ImageSource = ImageFiles | DataSet;

/**
 * Finds the images that the arguments name, in their order: a file, all images in a folder and its subfolders (by name),
 * or a data set, `PATH` or `PATH:test`.
 * @throws InputError where one of them does not exist, or holds no images
 */
export async function findSources(names: readonly string[]): Promise<ImageSource[]> {
  const sources: ImageSource[] = [];
  for (const name of names) {
    const paths = await imageFilesOf(name);
    const last = sources.at(-1);
    // Files that are named one by one are one source: batches do not reach from one source into the next.
    if (paths && last?.kind === "files") for (const path of paths) last.paths.push(path);
    else if (paths) sources.push({ kind: "files", paths });
    else sources.push({ kind: "set", prefix: names.length > 1 ? name : "", images: await openImageSet(name) });
  }
  return sources;
}

/** Number of images. */
export function countOf(sources: readonly ImageSource[]): number {
  return sources.reduce((sum, source) => sum + (source.kind === "set" ? source.images.count : source.paths.length), 0);
}

/** The image files that a name means; undefined where it is a data set's, or nothing's. */
async function imageFilesOf(name: string): Promise<string[] | undefined> {
  const kind = await pathKind(name);
  if (kind === "file") return isImage(name) ? [name] : undefined;
  if (kind === "folder") return (await holdsDataSet(name)) ? undefined : imagesBelow(name);
  // PATH:test of a folder of image files; of others, and where nothing is found, `openImageSet` knows what to say.
  const [, folder, split] = /^(.+):(train|test)$/s.exec(name) ?? [];
  if (folder === undefined || (await pathKind(folder)) !== "folder" || (await holdsDataSet(folder))) return undefined;
  const inside = join(folder, split);
  return (await pathKind(inside)) === "folder" ? imagesBelow(inside) : undefined;
}

async function holdsDataSet(path: string): Promise<boolean> {
  const folder = await listFolder(path);
  return idxSplits(folder).length > 0 || cifarKind(folder) !== undefined;
}

/** All images of a folder and of those in it. @throws InputError if there is none, or a folder cannot be read */
async function imagesBelow(folder: string): Promise<string[]> {
  const { images } = await listBelow(folder);
  if (images.length > 0) return images;
  throw new InputError(`${folder}: holds no ${KINDS} images, nor do its subfolders; name a folder that does`);
}
