/**
 * The frame header of a JPEG file, read without decoding the pixels: enough to know an image's size and components, and
 * to refuse what is not read, before anything is allocated for it.
 */
import { InputError } from "../errors.js";
import { readOrientation } from "./exif.js";
import { MAX_PIXELS, MAX_SIDE } from "./limits.js";

export interface JpegHeader {
  /** As stored: EXIF may ask for a turned image. */
  height: number;
  width: number;
  /** 1 (grey) or 3 (colour). */
  components: 1 | 3;
  /** EXIF's, 1 to 8. */
  orientation: number;
}

/** The kinds that every decoder knows: baseline, extended and progressive, with Huffman codes. */
const FRAMES = [0xc0, 0xc1, 0xc2];
/** Codes among the frame headers that are tables or kept free. */
const NO_FRAMES = [0xc4, 0xc8, 0xcc];
const APP1 = 0xe1;
const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;

/**
 * The most pixels that a byte can hold: each block of 8×8 takes at least a bit, and the components together have at
 * least half as many blocks as the image.
 */
const PIXELS_PER_BYTE = 1024;

/** Whether a marker is followed by nothing: TEM and the restart markers. */
const standsAlone = (marker: number) => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7);
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && !NO_FRAMES.includes(marker);

/** Whether a segment's content begins as EXIF's does: XMP is kept in segments of the same marker. */
const isExif = (content: Uint8Array) => String.fromCharCode(...content.subarray(0, 6)) === "Exif\0\0";

/** The place of the frame header's content, behind its length, its marker, and the orientation that EXIF tells before it. */
function findFrame(bytes: Uint8Array, name: string): { at: number; marker: number; orientation: number } {
  let orientation: number | undefined;
  for (let at = 2; at + 4 <= bytes.length;) {
    const marker = bytes[at + 1];
    if (bytes[at] !== 0xff || marker === START_OF_SCAN || marker === END_OF_IMAGE || marker === 0) {
      throw new InputError(
        `${name}: the JPEG has no frame header before byte ${at}; the file is damaged, get it again`,
      );
    }
    // Any number of 0xff may come before a marker.
    if (marker === 0xff) at += 1;
    else if (standsAlone(marker)) at += 2;
    else if (isFrame(marker) && at + 10 <= bytes.length) return { at: at + 4, marker, orientation: orientation ?? 1 };
    else {
      const end = at + 2 + Math.max((bytes[at + 2] << 8) | bytes[at + 3], 2);
      const content = bytes.subarray(at + 4, end);
      if (marker === APP1 && isExif(content)) orientation ??= readOrientation(content);
      at = end;
    }
  }
  throw new InputError(
    `${name}: the JPEG ends after ${bytes.length} bytes without its frame header; the file is cut short, get it again`,
  );
}

/**
 * Finds the frame header of a JPEG file.
 * @throws InputError if `bytes` is not JPEG, has no frame header, is neither baseline nor progressive, has other than 8
 *   bits a sample or 1 or 3 components (CMYK), or claims a size beyond reason
 */
export function scanJpeg(bytes: Uint8Array, name: string): JpegHeader {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) {
    const png = bytes[0] === 0x89 && bytes[1] === 0x50;
    throw new InputError(
      `${name}: its name says JPEG, but its content is ${png ? "PNG; rename it to .png" : "not; convert it to JPEG"} or remove it`,
    );
  }
  const { at, marker, orientation } = findFrame(bytes, name);
  const depth = bytes[at];
  const height = (bytes[at + 1] << 8) | bytes[at + 2];
  const width = (bytes[at + 3] << 8) | bytes[at + 4];
  const components = bytes[at + 5];
  if (!FRAMES.includes(marker) || depth !== 8) {
    throw new InputError(
      `${name}: a JPEG of kind SOF${marker - 0xc0} with ${depth} bits a sample, expected baseline or progressive (SOF0 to SOF2) with 8; convert it`,
    );
  }
  if (components !== 1 && components !== 3) {
    throw new InputError(
      `${name}: a JPEG of ${components} components${components === 4 ? " (CMYK)" : ""}, expected 1 (grey) or 3 (colour); convert it to RGB`,
    );
  }
  const sides = height > 0 && width > 0 && height <= MAX_SIDE && width <= MAX_SIDE;
  if (!sides || height * width > MAX_PIXELS) {
    throw new InputError(
      `${name}: its header says ${height}x${width} pixels, expected sides from 1 to ${MAX_SIDE} and at most ${MAX_PIXELS} pixels; the file is damaged, or make the image smaller`,
    );
  }
  if (height * width > PIXELS_PER_BYTE * bytes.length) {
    throw new InputError(
      `${name}: its header promises ${height}x${width} pixels, more than ${bytes.length} bytes of JPEG can hold; the file is cut short or damaged, get it again`,
    );
  }
  return { height, width, components, orientation };
}
