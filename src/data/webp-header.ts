/** The chunks of a WebP file, read without decoding the pixels: its size and orientation, before anything is allocated. */
import { InputError } from "../errors.js";
import { readOrientation } from "./exif.js";
import { MAX_PIXELS } from "./limits.js";

export interface WebpHeader {
  /** As stored: EXIF may ask for a turned image. Of an animation, its canvas. */
  height: number;
  width: number;
  /** EXIF's, 1 to 8. */
  orientation: number;
}

const text = (bytes: Uint8Array, at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));

/** Whether a file begins as WebP does. */
export function isWebp(bytes: Uint8Array): boolean {
  return text(bytes, 0) === "RIFF" && text(bytes, 8) === "WEBP";
}

/** Height and width that the first chunk tells: of the lossy, the lossless or the extended form. */
function sizeOf(type: string, view: DataView, start: number): [number, number] | undefined {
  const room = view.byteLength - start;
  const low24 = (at: number) => view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
  if (type === "VP8 " && room >= 10 && view.getUint8(start + 3) === 0x9d) {
    return [view.getUint16(start + 8, true) & 0x3fff, view.getUint16(start + 6, true) & 0x3fff];
  }
  if (type === "VP8L" && room >= 5 && view.getUint8(start) === 0x2f) {
    const packed = view.getUint32(start + 1, true);
    return [((packed >>> 14) & 0x3fff) + 1, (packed & 0x3fff) + 1];
  }
  if (type === "VP8X" && room >= 10) return [low24(start + 7) + 1, low24(start + 4) + 1];
  return undefined;
}

/**
 * Reads what a WebP file says of itself.
 * @throws InputError if `bytes` is not WebP, is shorter than it says, or claims a size beyond reason
 */
export function scanWebp(bytes: Uint8Array, name: string): WebpHeader {
  if (!isWebp(bytes)) {
    throw new InputError(`${name}: its name says WebP, but its content is not; convert it to WebP or remove it`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const promised = bytes.length >= 12 ? view.getUint32(4, true) + 8 : 12;
  if (promised > bytes.length) {
    throw new InputError(
      `${name}: the WebP says that it has ${promised} bytes, and has ${bytes.length}; the file is cut short, get it again`,
    );
  }
  const size = bytes.length >= 20 ? sizeOf(text(bytes, 12), view, 20) : undefined;
  if (!size) throw new InputError(`${name}: the WebP has no header of an image; the file is damaged, get it again`);
  const [height, width] = size;
  if (height < 1 || width < 1 || height * width > MAX_PIXELS) {
    throw new InputError(
      `${name}: its header says ${height}x${width} pixels, expected at most ${MAX_PIXELS} of them; the file is damaged, or make the image smaller`,
    );
  }
  let orientation = 1;
  for (let at = 12; at + 8 <= bytes.length;) {
    const length = view.getUint32(at + 4, true);
    if (text(bytes, at) === "EXIF") orientation = readOrientation(bytes.subarray(at + 8, at + 8 + length));
    // Chunks of odd length are followed by a byte that fills up.
    at += 8 + length + (length & 1);
  }
  return { height, width, orientation };
}
