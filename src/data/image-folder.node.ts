/** Reads folders of PNG and JPEG images from disk, in Node. */
import { join } from "node:path";
import { InputError } from "../errors.js";
import { decodeImages, isImage } from "./decode-images.node.js";
import type { ImageSet } from "./image-set.js";
import { listFolder, type FolderEntries } from "./read-file.node.js";

/** What the messages about unreadable folders tell the user to give instead. */
export const READABLE = "PNG or JPEG images, IDX files or CIFAR binary files";

export interface ImageListing {
  paths: string[];
  /** One a path; undefined for a folder without class subfolders. */
  labels: number[] | undefined;
  classNames: string[] | undefined;
}

/**
 * The PNG and JPEG images of a folder, directly in it or in class subfolders, sorted by name.
 * @throws InputError if there is none, there are some in both places, or a class folder is empty
 */
export async function listImages(folder: FolderEntries): Promise<ImageListing> {
  const direct = folder.files.filter(isImage);
  const classes = [];
  for (const name of folder.folders) classes.push(await listFolder(join(folder.path, name)));
  const withImages = classes.filter((entries) => entries.files.some(isImage));
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
  if (direct.length > 0) {
    return { paths: direct.map((name) => join(folder.path, name)), labels: undefined, classNames: undefined };
  }
  const empty = classes.find((entries) => !withImages.includes(entries));
  if (empty) {
    throw new InputError(
      `${empty.path}: a class folder without PNG or JPEG images, expected at least 1; add images or remove the folder`,
    );
  }
  const images = classes.flatMap(({ path, files }, label) =>
    files.filter(isImage).map((name) => ({ path: join(path, name), label })),
  );
  return {
    paths: images.map(({ path }) => path),
    labels: images.map(({ label }) => label),
    classNames: folder.folders,
  };
}

/**
 * Reads a folder of PNG and JPEG images of one size: directly in it, without labels, or in one subfolder a class, whose
 * names, sorted by code unit, give the labels in order. The set has 1 channel if every file is grey (a PNG by its colour
 * type or palette, a JPEG by its one component), else 3, with grey files' channel repeated. Alpha is dropped. Files of
 * other kinds are left out.
 * @throws InputError if there is no image, a class folder is empty, a file is damaged, images are of two sizes, or there
 *   is a JPEG and `sharp` is not installed
 */
export async function openImageFolder(folder: FolderEntries, name = folder.path): Promise<ImageSet> {
  const { paths, labels, classNames } = await listImages(folder);
  const { channels, height, width, pixels } = await decodeImages(paths);
  const set = { name, count: paths.length, channels, height, width, pixels };
  if (!labels || !classNames) return { ...set, labels: undefined, classes: 0 };
  const classes = classNames.length;
  return { ...set, labels: classes > 256 ? Uint32Array.from(labels) : Uint8Array.from(labels), classes, classNames };
}
