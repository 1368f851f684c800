/** Images in batches, the next ones read and decoded while the device is at work on those before. */
import { decodeImages } from "../../src/data/decode-images.node.js";
import { InputError } from "../../src/errors.js";
import type { ImageShape } from "../../src/nn/index.js";
import { countOf, type DataSet, type ImageSource } from "./sources.js";

/** Some images, in the order of the sources. */
export interface ImageBatch {
  readonly names: readonly string[];
  /** 8-bit values, N C H W. */
  readonly pixels: Uint8Array;
}

/** What a network takes, and its file's name for errors. */
export interface Wanted {
  readonly image: ImageShape;
  readonly model: string;
}

/** Files that are read and decoded at once. */
const AT_ONCE = 16;

const textOf = ({ channels, height, width }: ImageShape) => `${channels} × ${height} × ${width}`;

/**
 * One image file as the network takes it, C H W. All that `predict` knows of image files is here.
 * @throws InputError where it is damaged, or of another size than the network's images
 */
async function readImage(path: string, { image, model }: Wanted): Promise<Uint8Array> {
  const found = await decodeImages([path]);
  const { channels, height, width, pixels } = found;
  if (height !== image.height || width !== image.width || channels > image.channels) {
    throw new InputError(
      `${path}: an image of ${textOf(found)} (channels, height, width); ${model} takes ${textOf(image)}: ` +
        `give images of the network's size`,
    );
  }
  if (channels === image.channels) return pixels;
  // Grey to a network for colours: each channel the same.
  const repeated = new Uint8Array(image.channels * pixels.length);
  for (let channel = 0; channel < image.channels; channel++) repeated.set(pixels, channel * pixels.length);
  return repeated;
}

/** The images of `paths`, a few at once; of several wrong files the first one's fault is told. */
async function readBatch(paths: readonly string[], wanted: Wanted, signal: AbortSignal): Promise<ImageBatch> {
  const { channels, height, width } = wanted.image;
  const size = channels * height * width;
  const pixels = new Uint8Array(paths.length * size);
  const faults = new Map<number, unknown>();
  let next = 0;
  const work = async () => {
    while (next < paths.length && faults.size === 0) {
      signal.throwIfAborted();
      const index = next++;
      try {
        pixels.set(await readImage(paths[index], wanted), index * size);
      } catch (error) {
        faults.set(index, error);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (faults.size > 0) throw faults.get(Math.min(...faults.keys()));
  return { names: paths, pixels };
}

/** The batches of the sources, each made when it is asked for. */
function* batchesOf(
  sources: readonly ImageSource[],
  batch: number,
  wanted: Wanted,
  signal: AbortSignal,
): Generator<() => Promise<ImageBatch>> {
  for (const source of sources) {
    const count = countOf([source]);
    for (let first = 0; first < count; first += batch) {
      yield source.kind === "set"
        ? () => Promise.resolve(batchOfSet(source, first, Math.min(batch, count - first)))
        : () => readBatch(source.paths.slice(first, first + batch), wanted, signal);
    }
  }
}

function batchOfSet({ images, prefix }: DataSet, first: number, count: number): ImageBatch {
  const size = images.channels * images.height * images.width;
  return {
    names: Array.from({ length: count }, (_, at) => `${prefix}#${first + at}`),
    pixels: images.pixels.subarray(first * size, (first + count) * size),
  };
}

/**
 * All images of the sources, in their order, at most `batch` at a time. While one batch is in use the next is made, and
 * no more than that.
 * @throws InputError where a set's images are not of the network's size, before any batch
 */
export async function* imageBatches(
  sources: readonly ImageSource[],
  batch: number,
  wanted: Wanted,
  signal: AbortSignal,
): AsyncGenerator<ImageBatch> {
  for (const source of sources) if (source.kind === "set") checkSet(source, wanted);
  const begin = (make: (() => Promise<ImageBatch>) | undefined) => {
    const made = make?.();
    // It is awaited in its turn; a fault before that is not one that nobody handles.
    made?.catch(() => undefined);
    return made;
  };
  const makers = batchesOf(sources, batch, wanted, signal);
  let ready = begin(nextOf(makers));
  while (ready) {
    const current = await ready;
    ready = begin(nextOf(makers));
    yield current;
  }
}

function nextOf<T>(items: Iterator<T>): T | undefined {
  const { done, value } = items.next();
  return done ? undefined : value;
}

function checkSet({ images }: DataSet, { image, model }: Wanted): void {
  if (textOf(images) === textOf(image)) return;
  throw new InputError(
    `${images.name} holds images of ${textOf(images)} (channels, height, width); ${model} takes ${textOf(image)}: ` +
      `give images of the network's size`,
  );
}
