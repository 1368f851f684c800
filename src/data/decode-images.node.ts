/** Decodes the files of an image folder into one array, several at once, in Node. */
import { InputError } from "../errors.js";
import type { CheckSize, DecodedImage } from "./decoded-image.js";
import { decodeJpeg } from "./jpeg.node.js";
import { MAX_BYTES } from "./limits.js";
import { decodePng } from "./png.node.js";
import { readBytes } from "./read-file.node.js";

/** Files that are read and decoded at once: enough for the threads that Node has for it. */
const AT_ONCE = 8;

/** Whether a file's name says that it is an image of a kind that is read. */
export const isImage = (name: string) => isPng(name) || /\.jpe?g$/i.test(name);
const isPng = (name: string) => /\.png$/i.test(name);

async function decodeFile(path: string, checkSize?: CheckSize): Promise<DecodedImage> {
  const bytes = await readBytes(path);
  return isPng(path) ? decodePng(bytes, path, checkSize) : decodeJpeg(bytes, path, checkSize);
}

/** The images of `paths`, in this order, and of several wrong files the first one's fault; few are held at a time. */
async function* decodeInOrder(paths: string[], checkSize: (path: string) => CheckSize): AsyncGenerator<DecodedImage> {
  const begun: Promise<DecodedImage>[] = [];
  for (let next = 0; next < paths.length || begun.length > 0;) {
    while (next < paths.length && begun.length < AT_ONCE) {
      const image = decodeFile(paths[next], checkSize(paths[next]));
      next++;
      // It is awaited in its turn; a fault before that is not one that nobody handles.
      image.catch(() => undefined);
      begun.push(image);
    }
    yield await begun.shift()!;
  }
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

/**
 * Decodes PNG and JPEG files of one size (told by their names) to N C H W: 1 channel if all are grey, else 3, with grey
 * files' channel repeated. The result does not depend on which file is done first.
 * @throws InputError naming the first file that is damaged, of a kind that is not read or of another size, or if the
 *   images together are more than an image set may hold
 */
export async function decodeImages(paths: string[]): Promise<DecodedImage> {
  const first = await decodeFile(paths[0]);
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
  const otherSize = (path: string, foundHeight: number, foundWidth: number) =>
    new InputError(
      `${path}: ${foundHeight}x${foundWidth} pixels, expected ${height}x${width} as in ${paths[0]}; bring all images to one size`,
    );
  // A header has the sides as stored; which of them is the height is sure only when the image is turned.
  const checkSides = (path: string) => (stored: number, other: number) => {
    if (Math.min(stored, other) !== Math.min(height, width) || stored * other !== area) {
      throw otherSize(path, stored, other);
    }
  };
  let { channels } = first;
  let pixels = allocate(channels);
  pixels.set(first.pixels);
  let index = 1;
  for await (const image of decodeInOrder(paths.slice(1), checkSides)) {
    if (image.height !== height || image.width !== width) throw otherSize(paths[index], image.height, image.width);
    if (image.channels > channels) {
      ({ channels } = image);
      const colored = allocate(channels);
      colored.set(greyToRgb(pixels, index, area));
      pixels = colored;
    }
    const own = image.channels < channels ? greyToRgb(image.pixels, 1, area) : image.pixels;
    pixels.set(own, index * channels * area);
    index++;
  }
  return { channels, height, width, pixels };
}
