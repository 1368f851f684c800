/** Reads folders of PNG images from disk, in Node. */
import { join } from "node:path";
import { InputError } from "../errors.js";
import type { ImageSet } from "./image-set.js";
import { MAX_BYTES } from "./limits.js";
import { decodePng } from "./png.node.js";
import { listFolder, readBytes, type FolderEntries } from "./read-file.node.js";

/** What the messages about unreadable folders tell the user to give instead. */
export const READABLE = "PNG images, IDX files or CIFAR binary files";

const isPng = (name: string) => /\.png$/i.test(name);
const isJpeg = (name: string) => /\.jpe?g$/i.test(name);

export interface PngListing {
  paths: string[];
  /** One a path; undefined for a folder without class subfolders. */
  labels: number[] | undefined;
  classNames: string[] | undefined;
}

/** JPEG is not decoded here, and leaving such files out silently would change what the set is. */
function refuseJpeg(folder: FolderEntries): void {
  const jpegs = folder.files.filter(isJpeg);
  if (jpegs.length === 0) return;
  const only = folder.files.some(isPng) ? "" : "only ";
  throw new InputError(
    `${folder.path}: holds ${only}JPEG images (${jpegs.length}, such as ${jpegs[0]}), which are not read, expected ${READABLE}; convert them to PNG, for example with ImageMagick: mogrify -format png *.jpg`,
  );
}

/**
 * The PNG images of a folder, directly in it or in class subfolders, sorted by name.
 * @throws InputError if there is none, there are both kinds, a class folder is empty, or there are JPEG images
 */
export async function listPngImages(folder: FolderEntries): Promise<PngListing> {
  refuseJpeg(folder);
  const direct = folder.files.filter(isPng);
  const classes = [];
  for (const name of folder.folders) classes.push(await listFolder(join(folder.path, name)));
  for (const entries of classes) refuseJpeg(entries);
  const withPng = classes.filter((entries) => entries.files.some(isPng));
  if (direct.length === 0 && withPng.length === 0) {
    const names = [...folder.folders.map((name) => `${name}/`), ...folder.files];
    const found =
      names.length === 0
        ? "is empty"
        : `holds no images that are read (found ${names.slice(0, 4).join(", ")}${names.length > 4 ? ", …" : ""})`;
    throw new InputError(`${folder.path}: ${found}, expected ${READABLE}; name the folder that holds them, unpacked`);
  }
  if (direct.length > 0 && withPng.length > 0) {
    throw new InputError(
      `${folder.path}: holds PNG images both directly (${direct[0]}) and in subfolders (${withPng[0].path}), expected one or the other; move them`,
    );
  }
  if (direct.length > 0) {
    return { paths: direct.map((name) => join(folder.path, name)), labels: undefined, classNames: undefined };
  }
  const empty = classes.find((entries) => !withPng.includes(entries));
  if (empty) {
    throw new InputError(
      `${empty.path}: a class folder without PNG images, expected at least 1; add images or remove the folder`,
    );
  }
  const images = classes.flatMap(({ path, files }, label) =>
    files.filter(isPng).map((name) => ({ path: join(path, name), label })),
  );
  return {
    paths: images.map(({ path }) => path),
    labels: images.map(({ label }) => label),
    classNames: folder.folders,
  };
}

/** The same images with their one channel repeated as red, green and blue: N 1 H W to N 3 H W. */
function greyToRgb(grey: Uint8Array, count: number, area: number): Uint8Array<ArrayBuffer> {
  const rgb = new Uint8Array(count * 3 * area);
  for (let image = 0; image < count; image++) {
    const one = grey.subarray(image * area, (image + 1) * area);
    for (let channel = 0; channel < 3; channel++) rgb.set(one, (image * 3 + channel) * area);
  }
  return rgb;
}

/** Decodes files of one size; grey until the first that has colour. */
async function decodeImages(paths: string[]) {
  const first = decodePng(await readBytes(paths[0]), paths[0]);
  const { height, width } = first;
  const area = height * width;
  const allocate = (channels: number) => {
    if (paths.length * channels * area > MAX_BYTES) {
      throw new InputError(
        `${paths[0]}: with ${paths.length} images of ${channels}x${height}x${width} like it, more than the ${MAX_BYTES} bytes that can be read; use fewer or smaller images`,
      );
    }
    return new Uint8Array(paths.length * channels * area);
  };
  let channels = first.channels;
  let pixels = allocate(channels);
  for (const [index, path] of paths.entries()) {
    const image = index === 0 ? first : decodePng(await readBytes(path), path);
    if (image.height !== height || image.width !== width) {
      throw new InputError(
        `${path}: ${image.height}x${image.width} pixels, expected ${height}x${width} as in ${paths[0]}; bring all images to one size`,
      );
    }
    if (image.channels > channels) {
      channels = image.channels;
      const colored = allocate(channels);
      colored.set(greyToRgb(pixels, index, area));
      pixels = colored;
    }
    const own = image.channels < channels ? greyToRgb(image.pixels, 1, area) : image.pixels;
    pixels.set(own, index * channels * area);
  }
  return { channels, height, width, pixels };
}

/**
 * Reads a folder of PNG images of one size: directly in it, without labels, or in one subfolder a class, whose names,
 * sorted by code unit, give the labels in order. The set has 1 channel if every file is grey (by its colour type or
 * palette), else 3, with grey files' channel repeated. Alpha is dropped. Files of other kinds are left out, but for
 * JPEG, which is refused.
 * @throws InputError if there is no PNG, a class folder is empty, a file is damaged, or images are of two sizes
 */
export async function openPngFolder(folder: FolderEntries, name = folder.path): Promise<ImageSet> {
  const { paths, labels, classNames } = await listPngImages(folder);
  const { channels, height, width, pixels } = await decodeImages(paths);
  const set = { name, count: paths.length, channels, height, width, pixels };
  if (!labels || !classNames) return { ...set, labels: undefined, classes: 0 };
  const classes = classNames.length;
  return { ...set, labels: classes > 256 ? Uint32Array.from(labels) : Uint8Array.from(labels), classes, classNames };
}
