/** Decodes JPEG files, in Node, by `sharp` (libvips), which the user installs; sizes are checked before it sees a file. */
import { InputError } from "../errors.js";
import type { CheckSize, DecodedImage } from "./decoded-image.js";
import { scanJpeg } from "./jpeg-header.js";

/** `sharp` itself, loaded with the first JPEG. @throws InputError if it is not there, saying what to install */
async function loadDecoder(name: string): Promise<(typeof import("sharp"))["default"]> {
  try {
    return (await import("sharp")).default;
  } catch (error) {
    const [reason] = (error as Error).message.trim().split(/\s*[\r\n]/);
    throw new InputError(
      `${name}: JPEG images need the package sharp, which cannot be loaded (${reason}); npm install sharp`,
    );
  }
}

/** What libvips says about a damaged file, without its own name and in one line. */
function describe(error: unknown): string {
  const [line] = (error as Error).message.trim().split(/\s*[\r\n]/);
  return line.replace(/^Input buffer has corrupt header: /, "").replace(/^VipsJpeg: /, "");
}

/** Samples of a pixel together, to planes. */
function toPlanes(interleaved: Uint8Array, channels: number): Uint8Array<ArrayBuffer> {
  const area = interleaved.length / channels;
  const planes = new Uint8Array(interleaved.length);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < area; i++) planes[channel * area + i] = interleaved[channels * i + channel];
  }
  return planes;
}

/**
 * Decodes one JPEG file, baseline or progressive, grey or in colour, turned as its EXIF orientation says. Pixels are
 * those stored: an embedded colour profile is not applied. The same bytes give the same pixels every time.
 * @param checkSize is called with the size as stored; an image may be turned, its sides swapped
 * @throws InputError if the file is damaged, cut short, no JPEG or of a kind that is not read (CMYK, 12 bits), or where
 *   `sharp` is missing
 */
export async function decodeJpeg(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
  checkSize?: CheckSize,
): Promise<DecodedImage> {
  const header = scanJpeg(bytes, name);
  checkSize?.(header.height, header.width);
  const sharp = await loadDecoder(name);
  try {
    const { data, info } = await sharp(bytes, {
      // The least doubt about a file is a fault: what is lost would be filled in with grey.
      failOn: "warning",
      ignoreIcc: true,
      limitInputPixels: header.height * header.width,
    })
      .autoOrient()
      .toColourspace(header.components === 1 ? "b-w" : "srgb")
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== header.components) throw new Error(`${info.channels} channels`);
    return {
      channels: header.components,
      height: info.height,
      width: info.width,
      pixels: toPlanes(data, info.channels),
    };
  } catch (error) {
    throw new InputError(`${name}: not a whole JPEG (${describe(error)}); the file is damaged, get it again`);
  }
}
