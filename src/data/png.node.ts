/** Decodes PNG files, in Node: pixels by `pngjs`, sizes checked before it allocates anything for them. */
import { inflateSync } from "node:zlib";
import { PNG } from "pngjs";
import { InputError } from "../errors.js";
import { arrange, type Interleaved } from "./arrange.js";
import type { DecodedImage } from "./decoded-image.js";
import { DEFAULT_BACKGROUND, type Rgb } from "./image-options.js";
import { scanPng, type PngChunks } from "./png-chunks.js";

/** pngjs takes missing pixels for zeros and inflates interlaced ones without bound, so they are counted first. */
function checkScanlines(chunks: PngChunks, name: string): void {
  const damaged = (found: string) =>
    new InputError(
      `${name}: its pixels inflate to ${found}, expected the ${chunks.scanlineBytes} bytes of ${chunks.height}x${chunks.width}; the file is damaged, get it again`,
    );
  let found: number;
  try {
    found = inflateSync(Buffer.concat(chunks.idat), { maxOutputLength: chunks.scanlineBytes }).length;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw damaged(code === "ERR_BUFFER_TOO_LARGE" ? "more" : `nothing (${(error as Error).message})`);
  }
  if (found !== chunks.scanlineBytes) throw damaged(`${found} bytes`);
}

function readSamples(bytes: Uint8Array<ArrayBuffer>, chunks: PngChunks, name: string): Interleaved {
  checkScanlines(chunks, name);
  try {
    const { data } = PNG.sync.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    return { height: chunks.height, width: chunks.width, samples: 4, data };
  } catch (error) {
    throw new InputError(`${name}: not a whole PNG (${(error as Error).message}); the file is damaged, get it again`);
  }
}

/**
 * Decodes one PNG file of any colour type and bit depth to 8 bits a channel, turned as its EXIF orientation says.
 * Transparent pixels show the background.
 * @throws InputError if the file is damaged, cut short or no PNG
 */
export function decodePng(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
  background: Rgb = DEFAULT_BACKGROUND,
): DecodedImage {
  const chunks = scanPng(bytes, name);
  return arrange(readSamples(bytes, chunks, name), chunks.grey, chunks.orientation, background);
}
