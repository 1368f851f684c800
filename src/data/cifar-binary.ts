/**
 * The binary versions of CIFAR-10 and CIFAR-100: records without any header. A CIFAR-10 record is one label byte and
 * 3072 pixel bytes; a CIFAR-100 record is a coarse label, a fine label and 3072 pixel bytes. Pixels are C H W, 3×32×32.
 */
import { InputError } from "../errors.js";
import type { ImageSet } from "./image-set.js";
import { MAX_BYTES } from "./limits.js";

/** Which of the two data sets. */
export type CifarKind = "cifar-10" | "cifar-100";

/** Part of a set: one file's images. */
export interface CifarBatch {
  count: number;
  /** N 3 32 32. */
  pixels: Uint8Array<ArrayBuffer>;
  /** CIFAR-10's labels, or CIFAR-100's fine labels. */
  labels: Uint8Array<ArrayBuffer>;
}

const CHANNELS = 3;
const SIDE = 32;
const IMAGE_BYTES = CHANNELS * SIDE * SIDE;

/** The label bytes of a record, in order, with the classes of each; the last is the label that is kept. */
const FORMATS = {
  "cifar-10": { title: "CIFAR-10", labels: [{ what: "label", classes: 10 }] },
  "cifar-100": {
    title: "CIFAR-100",
    labels: [
      { what: "coarse label", classes: 20 },
      { what: "fine label", classes: 100 },
    ],
  },
};

function parseBatch(bytes: Uint8Array, name: string, kind: CifarKind): CifarBatch {
  const format = FORMATS[kind];
  const labelBytes = format.labels.length;
  const record = labelBytes + IMAGE_BYTES;
  if (bytes.length === 0 || bytes.length % record !== 0) {
    throw new InputError(
      `${name}: ${bytes.length} bytes, expected a multiple of ${record} (${format.title} binary records); the file is cut short or of another kind, get it again`,
    );
  }
  const count = bytes.length / record;
  const pixels = new Uint8Array(count * IMAGE_BYTES);
  const labels = new Uint8Array(count);
  for (let image = 0; image < count; image++) {
    const start = image * record;
    for (const [position, { what, classes }] of format.labels.entries()) {
      const label = bytes[start + position];
      if (label >= classes) {
        throw new InputError(
          `${name}: record ${image} has ${what} ${label}, expected 0 to ${classes - 1}; the file is damaged or not ${format.title} binary, get it again`,
        );
      }
      labels[image] = label;
    }
    pixels.set(bytes.subarray(start + labelBytes, start + record), image * IMAGE_BYTES);
  }
  return { count, pixels, labels };
}

/**
 * Parses one CIFAR-10 binary file, such as `data_batch_1.bin`.
 * @throws InputError if the size is not a multiple of a record's, or a label is not below 10
 */
export function parseCifar10(bytes: Uint8Array, name: string): CifarBatch {
  return parseBatch(bytes, name, "cifar-10");
}

/**
 * Parses one CIFAR-100 binary file, `train.bin` or `test.bin`; keeps the fine labels.
 * @throws InputError if the size is not a multiple of a record's, or a label is not below 20 (coarse) or 100 (fine)
 */
export function parseCifar100(bytes: Uint8Array, name: string): CifarBatch {
  return parseBatch(bytes, name, "cifar-100");
}

/**
 * Parses the class names that come with CIFAR (`batches.meta.txt`, `fine_label_names.txt`): one a line.
 * @throws InputError if there are not as many names as classes
 */
export function parseCifarClassNames(text: string, name: string, kind: CifarKind): string[] {
  const names = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const expected = FORMATS[kind].labels.at(-1)!.classes;
  if (names.length !== expected) {
    throw new InputError(
      `${name}: ${names.length} class names, expected ${expected}; restore the file from the ${FORMATS[kind].title} archive, or delete it`,
    );
  }
  return names;
}

/**
 * Joins batches, in order, as a set called `name`. Its classes are the format's 10 or 100, whatever labels occur.
 * @throws InputError if together they are beyond what an image set may hold
 */
export function cifarImageSet(name: string, batches: CifarBatch[], kind: CifarKind, classNames?: string[]): ImageSet {
  const count = batches.reduce((sum, batch) => sum + batch.count, 0);
  if (count * IMAGE_BYTES > MAX_BYTES) {
    throw new InputError(
      `${name}: ${count} images, more than the ${MAX_BYTES} bytes that can be read; use fewer images`,
    );
  }
  const pixels = new Uint8Array(count * IMAGE_BYTES);
  const labels = new Uint8Array(count);
  let done = 0;
  for (const batch of batches) {
    pixels.set(batch.pixels, done * IMAGE_BYTES);
    labels.set(batch.labels, done);
    done += batch.count;
  }
  const classes = FORMATS[kind].labels.at(-1)!.classes;
  const set: ImageSet = { name, count, channels: CHANNELS, height: SIDE, width: SIDE, pixels, labels, classes };
  return classNames ? { ...set, classNames } : set;
}
