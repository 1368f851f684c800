/** Decodes one image file, whatever its kind, to the size and on the background that are asked for, in Node. */
import { arrange, withChannels } from "./arrange.js";
import type { DecodedImage } from "./decoded-image.js";
import { scanImage, turnedSize, type ImageHeader } from "./image-header.js";
import { DEFAULT_BACKGROUND, type ImageOptions } from "./image-options.js";
import { decodePng } from "./png.node.js";
import { readBytes } from "./read-file.node.js";
import { decodeBySharp, hasSharp } from "./sharp.node.js";

/** What one image is decoded to; its channels are its own. */
export type ImageWish = Pick<ImageOptions, "size" | "fit" | "background">;

/** Pixels of a PNG up to which handing it to another thread takes longer than decoding it in this one. */
const SMALL = 4096;

/**
 * Decodes one image file: PNG, JPEG or WebP, of an animation the first picture, turned as its EXIF orientation says.
 * Pixels are those stored: colour profiles are not applied. 16-bit samples become the nearest 8-bit ones. A file whose
 * size is the one asked for comes out as it is, and the same bytes give the same pixels every time.
 * @param header what {@link scanImage} says of it, where that is known
 * @throws InputError if the file is damaged, cut short or of a kind that is not read (CMYK, 12 bits), or claims a size
 *   beyond reason, before anything is allocated for it; MissingSharpError where `sharp` is needed and is not there
 */
export async function decodeImage(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
  { size, fit = "cover", background = DEFAULT_BACKGROUND }: ImageWish = {},
  header: ImageHeader = scanImage(bytes, name),
): Promise<DecodedImage> {
  const { kind, stored, orientation, grey } = header;
  const turned = turnedSize(header);
  const asIs = !size || (size.height === turned.height && size.width === turned.width);
  if (asIs) {
    const here = kind === "PNG" && (stored.height * stored.width <= SMALL || !(await hasSharp()));
    if (here) return decodePng(bytes, name, background);
    return arrange(await decodeBySharp(bytes, name, header), grey, orientation, background);
  }
  // The frame as the stored image meets it, before both are turned.
  const frame = turnedSize({ stored: size, orientation });
  return arrange(await decodeBySharp(bytes, name, header, { size: frame, fit }), grey, orientation, background, size);
}

/**
 * Reads and decodes one image file, with the channels that are asked for, or its own.
 * @throws as {@link decodeImage}; InputError too if the file cannot be read
 */
export async function decodeFile(path: string, options: Omit<ImageOptions, "skipBad"> = {}): Promise<DecodedImage> {
  const image = await decodeImage(await readBytes(path), path, options);
  return options.channels ? withChannels(image, options.channels) : image;
}
