/** Decodes PNG files, in Node: pixels by `pngjs`, sizes checked before it allocates anything for them. */
import { inflateSync } from "node:zlib";
import { PNG } from "pngjs";
import { InputError } from "../errors.js";
import type { CheckSize, DecodedImage } from "./decoded-image.js";
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

/**
 * Decodes one PNG file of any colour type and bit depth to 8 bits a channel. Alpha is dropped, not composited: a
 * pixel keeps its stored colour however transparent it is, but for the one that a tRNS chunk names in a file without
 * alpha channel or palette, which becomes black.
 * @throws InputError if the file is damaged, cut short or no PNG
 */
export function decodePng(bytes: Uint8Array<ArrayBuffer>, name: string, checkSize?: CheckSize): DecodedImage {
  const chunks = scanPng(bytes, name);
  checkSize?.(chunks.height, chunks.width);
  checkScanlines(chunks, name);
  let rgba: Uint8Array;
  try {
    rgba = PNG.sync.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)).data;
  } catch (error) {
    throw new InputError(`${name}: not a whole PNG (${(error as Error).message}); the file is damaged, get it again`);
  }
  const { height, width } = chunks;
  const channels = chunks.grey ? 1 : 3;
  const area = height * width;
  const pixels = new Uint8Array(channels * area);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < area; i++) pixels[channel * area + i] = rgba[4 * i + channel];
  }
  return { channels, height, width, pixels };
}
