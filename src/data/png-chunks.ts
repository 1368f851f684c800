/**
 * The chunks of a PNG file, read without decoding the pixels: enough to know an image's size and colour, and how many
 * bytes its pixels must inflate to, before anything is allocated for them.
 */
import { InputError } from "../errors.js";
import { readOrientation } from "./exif.js";
import { MAX_PIXELS, MAX_SIDE } from "./limits.js";

export interface PngChunks {
  height: number;
  width: number;
  /** Whether the file's colour type is grey, or each colour of its palette is. */
  grey: boolean;
  /** Whether it has 16 bits a sample. */
  deep: boolean;
  /** EXIF's, 1 to 8. */
  orientation: number;
  /** The compressed pixels, in parts. */
  idat: Uint8Array[];
  /** Bytes of the pixels when inflated: scanlines, each with its filter byte. */
  scanlineBytes: number;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Samples a pixel and permitted bits a sample, by colour type. */
const COLOR_TYPES: Record<number, { samples: number; depths: number[] } | undefined> = {
  0: { samples: 1, depths: [1, 2, 4, 8, 16] },
  2: { samples: 3, depths: [8, 16] },
  3: { samples: 1, depths: [1, 2, 4, 8] },
  4: { samples: 2, depths: [8, 16] },
  6: { samples: 4, depths: [8, 16] },
};
const PALETTE = 3;
const GREY_TYPES = [0, 4];

/** First column and row, and step of columns and rows, of each pass of an interlaced image (Adam7). */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];
const NOT_INTERLACED = [[0, 0, 1, 1]];

function scanlineBytes(width: number, height: number, bitsPerPixel: number, passes: number[][]): number {
  let total = 0;
  for (const [x, y, stepX, stepY] of passes) {
    const columns = Math.ceil((width - x) / stepX);
    const rows = Math.ceil((height - y) / stepY);
    if (columns > 0 && rows > 0) total += rows * (1 + Math.ceil((columns * bitsPerPixel) / 8));
  }
  return total;
}

function isGrey(palette: Uint8Array): boolean {
  for (let i = 0; i + 2 < palette.length; i += 3) {
    if (palette[i] !== palette[i + 1] || palette[i] !== palette[i + 2]) return false;
  }
  return true;
}

function parseHeader(view: DataView, at: number, name: string) {
  const [width, height] = [view.getUint32(at), view.getUint32(at + 4)];
  const [depth, colorType, interlace] = [view.getUint8(at + 8), view.getUint8(at + 9), view.getUint8(at + 12)];
  const color = COLOR_TYPES[colorType];
  if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_PIXELS) {
    throw new InputError(
      `${name}: its header says ${height}x${width} pixels, expected sides from 1 to ${MAX_SIDE} and at most ${MAX_PIXELS} pixels; the file is damaged, or make the image smaller`,
    );
  }
  if (!color?.depths.includes(depth) || interlace > 1) {
    throw new InputError(
      `${name}: its header says colour type ${colorType}, ${depth} bits, interlace ${interlace}, which PNG does not have; the file is damaged, get it again`,
    );
  }
  const passes = interlace ? ADAM7 : NOT_INTERLACED;
  return {
    width,
    height,
    depth,
    colorType,
    scanlineBytes: scanlineBytes(width, height, color.samples * depth, passes),
  };
}

/**
 * Walks the chunks of a PNG file.
 * @throws InputError if `bytes` is not PNG, ends early, lacks a chunk, or claims a size beyond reason
 */
export function scanPng(bytes: Uint8Array, name: string): PngChunks {
  if (SIGNATURE.some((byte, i) => bytes[i] !== byte)) {
    const found = bytes[0] === 0xff && bytes[1] === 0xd8 ? "JPEG; rename it to .jpg" : "not; convert it to PNG";
    throw new InputError(`${name}: its name says PNG, but its content is ${found} or remove it`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const cutShort = (missing: string) =>
    new InputError(
      `${name}: the PNG ends after ${bytes.length} bytes without its ${missing}; the file is cut short, get it again`,
    );
  const idat: Uint8Array[] = [];
  let header: ReturnType<typeof parseHeader> | undefined;
  let palette: Uint8Array | undefined;
  let orientation = 1;
  for (let at = SIGNATURE.length; ;) {
    if (at + 12 > bytes.length) throw cutShort("IEND chunk");
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const start = at + 8;
    at = start + length + 4;
    if (at > bytes.length) throw cutShort(`whole ${/^\w{4}$/.test(type) ? type : "damaged"} chunk`);
    if (!header) {
      if (type !== "IHDR" || length !== 13) throw cutShort("IHDR chunk at the start");
      header = parseHeader(view, start, name);
    } else if (type === "PLTE") palette = bytes.subarray(start, start + length);
    else if (type === "eXIf") orientation = readOrientation(bytes.subarray(start, start + length));
    else if (type === "IDAT") idat.push(bytes.subarray(start, start + length));
    else if (type === "IEND") break;
  }
  if (idat.length === 0) throw cutShort("IDAT chunk");
  const grey =
    header.colorType === PALETTE ? isGrey(palette ?? new Uint8Array()) : GREY_TYPES.includes(header.colorType);
  const { height, width, depth, scanlineBytes } = header;
  return { height, width, grey, deep: depth === 16, orientation, idat, scanlineBytes };
}
