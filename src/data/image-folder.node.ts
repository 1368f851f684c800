/** Reads folders of image files from disk, in Node. */
import { extname, join, relative, sep } from "node:path";
import { InputError } from "../errors.js";
import { cachedImages } from "./decoded-cache.node.js";
import { isImage, KINDS } from "./image-header.js";
import type { DecodeWatch, ImageOptions } from "./image-options.js";
import type { ImageSet } from "./image-set.js";
import { listTree, realFolder, type FolderEntries } from "./read-file.node.js";

/** What the messages about unreadable folders tell the user to give instead. */
export const READABLE = `${KINDS} images, IDX files or CIFAR binary files`;

/** Kinds of files left out that a notice names. */
const KINDS_NAMED = 5;

/** How an image set is opened. */
export interface OpenOptions extends ImageOptions, DecodeWatch {
  /** Keeps decoded images in the user's cache folder, and takes them from there. */
  readonly cache?: boolean | undefined;
  /** What the user should hear: files that were left out, that the cache was used. */
  onNotice?: ((line: string) => void) | undefined;
}

export interface ImageListing {
  paths: string[];
  /** One a path; undefined for a folder without class subfolders. */
  labels: number[] | undefined;
  classNames: string[] | undefined;
  /** Files that are hidden, or by their names no images. */
  leftOut: string[];
}

/**
 * Images of a folder and of all below it, told by their names and sorted by their paths, and the files that are none.
 * @param above folders that are not entered by a link, by {@link realFolder}
 * @throws InputError if a folder cannot be read
 */
export async function listBelow(
  path: string,
  above: readonly string[] = [],
): Promise<{ path: string; images: string[]; leftOut: string[] }> {
  const tree = await listTree(path, above);
  const files = tree.flatMap((entries) => entries.files.map((name) => join(entries.path, name)));
  const hidden = tree.flatMap((entries) => entries.hidden.map((name) => join(entries.path, name)));
  // By the names of folders and files, not by the character between them.
  const key = new Map(files.map((file) => [file, relative(path, file).split(sep).join("\0")]));
  const images = files.filter(isImage).sort((a, b) => (key.get(a)! < key.get(b)! ? -1 : 1));
  return { path, images, leftOut: [...files.filter((file) => !isImage(file)), ...hidden] };
}

/**
 * The images of a folder, told by their names, directly in it or in class subfolders and below those, sorted by name.
 * @throws InputError if there is none, there are some in both places, or a class folder is empty
 */
export async function listImages(folder: FolderEntries): Promise<ImageListing> {
  const direct = folder.files.filter(isImage);
  const classes = [];
  const own = await realFolder(folder.path);
  for (const name of folder.folders) classes.push(await listBelow(join(folder.path, name), [own]));
  const withImages = classes.filter(({ images }) => images.length > 0);
  if (direct.length === 0 && withImages.length === 0) {
    const names = [...folder.folders.map((name) => `${name}/`), ...folder.files];
    const found =
      names.length === 0
        ? "is empty"
        : `holds no images that are read (found ${names.slice(0, 4).join(", ")}${names.length > 4 ? ", …" : ""})`;
    throw new InputError(`${folder.path}: ${found}, expected ${READABLE}; name the folder that holds them, unpacked`);
  }
  if (direct.length > 0 && withImages.length > 0) {
    throw new InputError(
      `${folder.path}: holds images both directly (${direct[0]}) and in subfolders (${withImages[0].path}), expected one or the other; move them`,
    );
  }
  const beside = [...folder.files.filter((name) => !isImage(name)), ...folder.hidden].map((name) =>
    join(folder.path, name),
  );
  const leftOut = [...beside, ...classes.flatMap((one) => one.leftOut)];
  if (direct.length > 0) {
    return { paths: direct.map((name) => join(folder.path, name)), labels: undefined, classNames: undefined, leftOut };
  }
  const empty = classes.find((one) => !withImages.includes(one));
  if (empty) {
    throw new InputError(
      `${empty.path}: a class folder without ${KINDS} images, expected at least 1; add images or remove the folder`,
    );
  }
  return {
    paths: classes.flatMap(({ images }) => images),
    labels: classes.flatMap(({ images }, label) => images.map(() => label)),
    classNames: folder.folders,
    leftOut,
  };
}

/** `3 .txt, 1 Thumbs.db`: by the ends of the names, the most frequent first. */
function countKinds(files: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const file of files) {
    const name = file.slice(file.lastIndexOf(sep) + 1);
    const kind = /^thumbs\.db$/i.test(name) || name.startsWith(".") ? name : extname(name).toLowerCase() || name;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const told = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  const more = told.length > KINDS_NAMED ? ", …" : "";
  return `${told
    .slice(0, KINDS_NAMED)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(", ")}${more}`;
}

/**
 * Reads a folder of PNG, JPEG and WebP images: directly in it, without labels, or in one subfolder a class, at any
 * depth, whose names, sorted by code unit, give the labels in order. Images have to have one size, or are brought to
 * `size`. The set has 1 channel if every file is grey (a PNG by its colour type or palette, a JPEG by its one
 * component), else 3, with grey files' channel repeated. Transparent pixels show the background. Hidden files and files
 * of other kinds are left out, and a notice counts them.
 * @throws InputError if there is no image, a class folder is empty, files are damaged (but with `skipBad`), images are
 *   of several sizes and no `size` is given, or `sharp` is needed and not installed. What `signal` is aborted with.
 */
export async function openImageFolder(
  folder: FolderEntries,
  name = folder.path,
  options: OpenOptions = {},
): Promise<ImageSet> {
  const { paths, labels, classNames, leftOut } = await listImages(folder);
  if (leftOut.length > 0) {
    const what = leftOut.length === 1 ? "1 file that is no image" : `${leftOut.length} files that are no images`;
    options.onNotice?.(`${name}: left out ${what} (${countKinds(leftOut)})`);
  }
  const { channels, height, width, pixels, kept, unreadable } = await cachedImages(paths, { ...options, name });
  if (unreadable.length > 0) {
    options.onNotice?.(`${name}: left out ${unreadable.length} of ${paths.length} images, which cannot be read:`);
    for (const { reason } of unreadable) options.onNotice?.(`  ${reason}`);
  }
  const set = {
    name,
    count: kept.length,
    channels,
    height,
    width,
    pixels,
    ...(unreadable.length ? { unreadable } : {}),
  };
  if (!labels || !classNames) return { ...set, labels: undefined, classes: 0 };
  const classes = classNames.length;
  const own = Array.from(kept, (index) => labels[index]);
  return { ...set, labels: classes > 256 ? Uint32Array.from(own) : Uint8Array.from(own), classes, classNames };
}
