/** Images in batches, the next ones read and decoded while the device is at work on those before. */
import { decodeFile } from "../../src/data/decode-image.node.js";
import type { ImageOptions, UnreadableImage } from "../../src/data/index.js";
import { MissingSharpError } from "../../src/data/sharp.node.js";
import { InputError } from "../../src/errors.js";
import type { ImageShape } from "../../src/nn/index.js";
import { countOf, type DataSet, type ImageSource } from "./sources.js";

/** Some images, in the order of the sources. */
export interface ImageBatch {
  readonly names: readonly string[];
  /** 8-bit values, N C H W. */
  readonly pixels: Uint8Array;
  /** Files that are left out, with `skipBad`. */
  readonly unreadable: readonly UnreadableImage[];
}

/** What a network takes, its file's name for errors, and how image files are brought to that. */
export interface Wanted extends Pick<ImageOptions, "fit" | "background" | "skipBad"> {
  readonly image: ImageShape;
  readonly model: string;
}

/** Files that are read and decoded at once. */
const AT_ONCE = 16;

const textOf = ({ channels, height, width }: ImageShape) => `${channels} × ${height} × ${width}`;

/** One image file as the network takes it, C H W. All that `predict` knows of image files is here. */
async function readImage(path: string, { image, fit, background }: Wanted): Promise<Uint8Array> {
  const { channels, height, width } = image;
  const wish = { size: { height, width }, fit, background, channels: channels === 1 ? 1 : 3 } as const;
  const { pixels } = await decodeFile(path, wish);
  return pixels;
}

/**
 * The images of `paths`, a few at once. Of several files that cannot be read the first one's fault is told; with
 * `skipBad` they are left out.
 */
async function readBatch(paths: readonly string[], wanted: Wanted, signal: AbortSignal): Promise<ImageBatch> {
  const images = new Map<number, Uint8Array>();
  const faults = new Map<number, InputError>();
  let next = 0;
  const work = async () => {
    while (next < paths.length && (wanted.skipBad || faults.size === 0)) {
      signal.throwIfAborted();
      const index = next++;
      try {
        images.set(index, await readImage(paths[index], wanted));
      } catch (error) {
        if (!(error instanceof InputError) || error instanceof MissingSharpError) throw error;
        faults.set(index, error);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const bad = [...faults.keys()].sort((a, b) => a - b);
  if (bad.length > 0 && !wanted.skipBad) {
    throw new InputError(`${faults.get(bad[0])!.message}; --skip-bad leaves such files out`);
  }
  const { channels, height, width } = wanted.image;
  const size = channels * height * width;
  const pixels = new Uint8Array(images.size * size);
  const names = paths.filter((_, index) => images.has(index));
  let at = 0;
  for (let index = 0; index < paths.length; index++) {
    const image = images.get(index);
    if (image) pixels.set(image, size * at++);
  }
  return {
    names,
    pixels,
    unreadable: bad.map((index) => ({ file: paths[index], reason: faults.get(index)!.message })),
  };
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
    unreadable: [],
  };
}

/**
 * All images of the sources, in their order, at most `batch` at a time. While one batch is in use the next is made, and
 * no more than that.
 * @throws InputError where a set's images are not of the network's size, or image files cannot be, before any batch
 */
export async function* imageBatches(
  sources: readonly ImageSource[],
  batch: number,
  wanted: Wanted,
  signal: AbortSignal,
): AsyncGenerator<ImageBatch> {
  for (const source of sources) {
    if (source.kind === "set") checkSet(source, wanted);
    else checkFiles(wanted);
  }
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

/** Image files are made grey, or of three colours; networks for other numbers of channels take data of another kind. */
function checkFiles({ image: { channels }, model }: Wanted): void {
  if (channels === 1 || channels === 3) return;
  throw new InputError(
    `${model} takes images of ${channels} channels, and image files are read as 1 or 3; give a network for such images`,
  );
}

function checkSet({ images }: DataSet, { image, model }: Wanted): void {
  if (textOf(images) === textOf(image)) return;
  throw new InputError(
    `${images.name} holds images of ${textOf(images)} (channels, height, width); ${model} takes ${textOf(image)}: ` +
      `give images of the network's size`,
  );
}
