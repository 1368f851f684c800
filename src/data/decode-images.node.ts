/** Decodes image files into one array, several at once, in Node. */
import { dirname } from "node:path";
import { InputError } from "../errors.js";
import { withChannels } from "./arrange.js";
import { decodeImage } from "./decode-image.node.js";
import type { DecodedImage } from "./decoded-image.js";
import { scanImage, turnedSize } from "./image-header.js";
import type { DecodeWatch, ImageOptions, ImageSize, UnreadableImage } from "./image-options.js";
import { MAX_BYTES, MAX_PIXELS } from "./limits.js";
import { readBytes } from "./read-file.node.js";
import { MissingSharpError } from "./sharp.node.js";

/** Files that are read and decoded at once: enough for the threads that Node has for it. */
const AT_ONCE = 8;
/** Broken files that an error names; it counts the others. */
const NAMED = 10;
/** Sizes that an error names, the most frequent ones. */
const SIZES_NAMED = 4;

/** Images of one size. */
export interface DecodedImages extends DecodedImage {
  /** N C H W. */
  pixels: Uint8Array<ArrayBuffer>;
  /** Places among the paths of the images that are in `pixels`, ascending; all but those that are unreadable. */
  kept: Uint32Array;
  /** Those that are left out, with `skipBad`. */
  unreadable: UnreadableImage[];
}

/** How files become images of one size, whom decoding tells, and what stops it. */
export interface DecodeImagesOptions extends ImageOptions, DecodeWatch {
  /** What messages about all images call them; the folder of the first one unless it is given. */
  readonly name?: string | undefined;
}

/** Lets in as many images at once as have so many pixels together; one alone, however large it is. */
class PixelBudget {
  private inside = 0;
  private readonly waiting: (() => void)[] = [];

  async use<T>(pixels: number, work: () => Promise<T>): Promise<T> {
    while (this.inside > 0 && this.inside + pixels > MAX_PIXELS) {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    this.inside += pixels;
    try {
      return await work();
    } finally {
      this.inside -= pixels;
      for (const wake of this.waiting.splice(0)) wake();
    }
  }
}

/** How often images have a size, and the first that has it. */
interface SizeCount extends ImageSize {
  count: number;
  first: number;
}

const nameOf = ({ height, width }: ImageSize) => `${height}x${width}`;

/** Decodes files one by one, and keeps account of what their headers say. */
class Decoder {
  private readonly budget = new PixelBudget();
  /** By height and width: nothing where all images are brought to one size. */
  readonly sizes = new Map<string, SizeCount>();

  constructor(
    private readonly paths: readonly string[],
    private readonly options: DecodeImagesOptions,
  ) {}

  /**
   * The image of a path; nothing where it is needless, since others have another size.
   * @throws InputError that says what is wrong with the file
   */
  async decode(index: number): Promise<DecodedImage | undefined> {
    const path = this.paths[index];
    const bytes = await readBytes(path);
    const header = scanImage(bytes, path);
    // One that may be left out counts once it is seen to be whole, unless it makes no difference any more.
    const countsAtOnce = !this.options.skipBad || this.sizes.size > 1;
    if (countsAtOnce) this.count(turnedSize(header), index);
    if (this.sizes.size > 1) return undefined;
    const { height, width } = header.stored;
    const image = await this.budget.use(height * width, () => decodeImage(bytes, path, this.options, header));
    if (!countsAtOnce) this.count(turnedSize(header), index);
    return image;
  }

  private count(size: ImageSize, index: number): void {
    if (this.options.size) return;
    const known = this.sizes.get(nameOf(size));
    if (!known) this.sizes.set(nameOf(size), { ...size, count: 1, first: index });
    else {
      known.count++;
      known.first = Math.min(known.first, index);
    }
  }
}

/** What became of one file. */
type Outcome = { readonly image: DecodedImage | undefined } | { readonly fault: string };

/** The outcomes of all paths, in this order; few are held at a time. */
async function* decodeInOrder(decoder: Decoder, count: number, signal?: AbortSignal): AsyncGenerator<Outcome> {
  const outcome = async (index: number): Promise<Outcome> => {
    try {
      return { image: await decoder.decode(index) };
    } catch (error) {
      if (!(error instanceof InputError) || error instanceof MissingSharpError) throw error;
      return { fault: error.message };
    }
  };
  const begun: Promise<Outcome>[] = [];
  for (let next = 0; next < count || begun.length > 0;) {
    signal?.throwIfAborted();
    while (next < count && begun.length < AT_ONCE) {
      const one = outcome(next++);
      // It is awaited in its turn; an error before that is not one that nobody handles.
      one.catch(() => undefined);
      begun.push(one);
    }
    yield await begun.shift()!;
  }
}

/** The pixels of images of one size, one after the other; they become 3 channels with the first image that has 3. */
class PixelStack {
  private pixels = new Uint8Array();
  private shape: Omit<DecodedImage, "pixels"> | undefined;
  count = 0;

  constructor(
    private readonly first: string,
    private readonly most: number,
  ) {}

  push(image: DecodedImage): void {
    const { channels, height, width } = image;
    if (!this.shape) this.allocate(image);
    else if (channels > this.shape.channels) {
      const grey = this.pixels;
      this.allocate({ channels, height, width });
      const area = height * width;
      for (let index = 0; index < this.count; index++) {
        const one = grey.subarray(index * area, (index + 1) * area);
        for (let channel = 0; channel < 3; channel++) this.pixels.set(one, (index * 3 + channel) * area);
      }
    }
    const own = withChannels(image, this.shape!.channels);
    this.pixels.set(own.pixels, this.count * own.pixels.length);
    this.count++;
  }

  private allocate({ channels, height, width }: Omit<DecodedImage, "pixels">): void {
    const bytes = this.most * channels * height * width;
    if (bytes > MAX_BYTES) {
      throw new InputError(
        `${this.most} images of ${channels}x${height}x${width}, as ${this.first} and those beside it, have more than the ` +
          `${MAX_BYTES} bytes that an image set can hold; give a folder of fewer, or make them smaller (--size)`,
      );
    }
    this.pixels = new Uint8Array(bytes);
    this.shape = { channels, height, width };
  }

  /** What was pushed; there has to be something. */
  finish(): DecodedImage {
    const { channels, height, width } = this.shape!;
    return { channels, height, width, pixels: this.pixels.subarray(0, this.count * channels * height * width) };
  }
}

/**
 * Decodes PNG, JPEG and WebP files to N C H W: 1 channel if all are grey, else 3, with grey files' channel repeated,
 * unless `channels` says otherwise. The result does not depend on which file is done first. Besides it, memory holds the
 * files and pixels of a few images at a time: for more images than memory holds, call it for some paths after the others.
 * @param paths at least 1
 * @throws InputError naming the files that are damaged or of a kind that is not read (but with `skipBad`); telling the
 *   sizes where there are several and no `size` is given; where the images together are more than an image set may
 *   hold, or `sharp` is needed and missing. What `signal` is aborted with.
 */
export async function decodeImages(
  paths: readonly string[],
  options: DecodeImagesOptions = {},
): Promise<DecodedImages> {
  const { channels, skipBad = false, onProgress, signal, name = dirname(paths[0]) } = options;
  const decoder = new Decoder(paths, options);
  const stack = new PixelStack(paths[0], paths.length);
  const kept: number[] = [];
  const unreadable: UnreadableImage[] = [];
  let index = 0;
  for await (const outcome of decodeInOrder(decoder, paths.length, signal)) {
    if ("fault" in outcome) unreadable.push({ file: paths[index], reason: outcome.fault });
    // Once an error is certain, the rest is looked at for what it has to tell.
    else if (outcome.image && decoder.sizes.size <= 1 && (skipBad || unreadable.length === 0)) {
      stack.push(channels ? withChannels(outcome.image, channels) : outcome.image);
      kept.push(index);
    }
    index++;
    onProgress?.(index, paths.length);
  }
  if (decoder.sizes.size > 1) throw severalSizes(name, [...decoder.sizes.values()], paths);
  if (unreadable.length > 0 && !skipBad) throw brokenFiles(unreadable, paths.length);
  if (kept.length === 0) {
    throw new InputError(
      `${name}: none of ${paths.length} images can be read; the first fault: ${unreadable[0].reason}`,
    );
  }
  return { ...stack.finish(), kept: Uint32Array.from(kept), unreadable };
}

function severalSizes(name: string, sizes: SizeCount[], paths: readonly string[]): InputError {
  const frequent = sizes.sort((a, b) => b.count - a.count || a.first - b.first);
  const told = frequent
    .slice(0, SIZES_NAMED)
    .map((size) => `${size.count} of ${nameOf(size)} as ${paths[size.first]}`)
    .join(", ");
  const more = sizes.length > SIZES_NAMED ? ", …" : "";
  return new InputError(
    `${name}: images of ${sizes.length} sizes, height by width (${told}${more}), expected one; give --size, for example --size 32, to bring all to one`,
  );
}

function brokenFiles(unreadable: readonly UnreadableImage[], count: number): InputError {
  const cure = "--skip-bad leaves such files out";
  if (unreadable.length === 1) return new InputError(`${unreadable[0].reason}; ${cure}`);
  const names = unreadable.slice(0, NAMED).map(({ file }) => file);
  const more = unreadable.length > NAMED ? ` and ${unreadable.length - NAMED} more` : "";
  return new InputError(
    `${unreadable.length} of ${count} images cannot be read: ${names.join(", ")}${more}; the first: ${unreadable[0].reason}; ${cure}`,
  );
}
