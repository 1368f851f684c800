/**
 * IDX files, the format of MNIST, Fashion-MNIST and EMNIST. A big-endian 32-bit magic number 0x000008DD says unsigned
 * bytes in DD dimensions; each dimension follows as a big-endian 32-bit number, then the bytes. Images have the
 * dimensions count, height, width; labels have one, the count.
 */
import { InputError } from "../errors.js";
import { countClasses, type ImageSet } from "./image-set.js";
import { MAX_BYTES, MAX_SIDE } from "./limits.js";

/** What an IDX file holds. */
export type IdxKind = "images" | "labels";

/** What the beginning of an IDX file says. */
export interface IdxHeader {
  count: number;
  /** 1 for labels. */
  height: number;
  /** 1 for labels. */
  width: number;
  /** Where the values begin. */
  offset: number;
  /** Bytes of the whole file, header and values. */
  byteLength: number;
}

/** Grey images, pixels N H W. */
export interface IdxImages {
  name: string;
  count: number;
  height: number;
  width: number;
  pixels: Uint8Array<ArrayBuffer>;
}

/** Labels, 0 to 255. */
export interface IdxLabels {
  name: string;
  labels: Uint8Array<ArrayBuffer>;
}

const MAGIC = { images: 0x00000803, labels: 0x00000801 };

function hex(magic: number): string {
  return `0x${magic.toString(16).padStart(8, "0")}`;
}

/**
 * Reads and checks the header of an IDX file, of which `bytes` need hold only the beginning.
 * @throws InputError for a wrong magic number, no images, or sizes beyond reason; nothing is allocated before
 */
export function parseIdxHeader(bytes: Uint8Array, name: string, kind: IdxKind): IdxHeader {
  const offset = kind === "images" ? 16 : 8;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = bytes.length < 4 ? undefined : view.getUint32(0);
  if (magic !== undefined && magic !== MAGIC[kind]) {
    const found = magic === MAGIC.images ? ", IDX images" : magic === MAGIC.labels ? ", IDX labels" : "";
    throw new InputError(
      `${name}: begins with ${hex(magic)}${found}, expected ${hex(MAGIC[kind])} (IDX ${kind}, unsigned bytes); name an IDX ${kind} file`,
    );
  }
  if (bytes.length < offset) {
    throw new InputError(
      `${name}: ${bytes.length} bytes, expected an IDX header of ${offset}; the file is cut short, get it again`,
    );
  }
  const count = view.getUint32(4);
  const [height, width] = kind === "images" ? [view.getUint32(8), view.getUint32(12)] : [1, 1];
  if (count === 0) throw new InputError(`${name}: its header says 0 ${kind}, expected at least 1; get the file again`);
  if (height < 1 || width < 1 || height > MAX_SIDE || width > MAX_SIDE) {
    throw new InputError(
      `${name}: its header says images of ${height}x${width}, expected sides from 1 to ${MAX_SIDE}; the header is damaged, get the file again`,
    );
  }
  const byteLength = offset + count * height * width;
  if (byteLength > MAX_BYTES) {
    throw new InputError(
      `${name}: its header says ${count} ${kind} of ${height}x${width}, more than the ${MAX_BYTES} bytes that can be read; the header is damaged, or use fewer images`,
    );
  }
  return { count, height, width, offset, byteLength };
}

function checkLength(bytes: Uint8Array, header: IdxHeader, name: string): void {
  if (bytes.length === header.byteLength) return;
  const fault = bytes.length < header.byteLength ? "cut short" : "longer than its header says";
  throw new InputError(
    `${name}: ${bytes.length} bytes, expected ${header.byteLength} for the ${header.count} items of its header; the file is ${fault}, get it again`,
  );
}

/**
 * Parses an IDX images file. The pixels are a view of `bytes`.
 * @throws InputError if the file is not exactly what its header says
 */
export function parseIdxImages(bytes: Uint8Array<ArrayBuffer>, name: string): IdxImages {
  const header = parseIdxHeader(bytes, name, "images");
  checkLength(bytes, header, name);
  return {
    name,
    count: header.count,
    height: header.height,
    width: header.width,
    pixels: bytes.subarray(header.offset),
  };
}

/**
 * Parses an IDX labels file. The labels are a view of `bytes`.
 * @throws InputError if the file is not exactly what its header says
 */
export function parseIdxLabels(bytes: Uint8Array<ArrayBuffer>, name: string): IdxLabels {
  const header = parseIdxHeader(bytes, name, "labels");
  checkLength(bytes, header, name);
  return { name, labels: bytes.subarray(header.offset) };
}

/**
 * Puts images and their labels, if any, together as a set called `name`.
 * @throws InputError if there are not as many labels as images
 */
export function idxImageSet(name: string, images: IdxImages, labels?: IdxLabels): ImageSet {
  if (labels && labels.labels.length !== images.count) {
    throw new InputError(
      `${labels.name}: ${labels.labels.length} labels, expected ${images.count}, one for each image of ${images.name}; put the two files of one set together`,
    );
  }
  const { count, height, width, pixels } = images;
  const classes = labels ? countClasses(labels.labels) : 0;
  return { name, count, channels: 1, height, width, pixels, labels: labels?.labels, classes };
}
