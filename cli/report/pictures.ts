import { Buffer } from "node:buffer";
import { encodePng } from "../../src/activemixup/teacher/http/png.node.js";
import { bytesPerImage, type ImageSet } from "../../src/data/index.js";
import type { ImageShape } from "../../src/nn/index.js";

/** An image as it stands in a page. */
export interface Picture {
  /** A PNG file in a data URI. */
  readonly source: string;
  readonly width: number;
  readonly height: number;
}

/**
 * An image as a picture of at most `side` pixels a side: larger ones are shrunk, each pixel the mean of a square.
 * @param pixels C H W, 8 bits
 */
export function pictureOf(shape: ImageShape, pixels: Uint8Array, side: number): Picture {
  const factor = Math.ceil(Math.max(shape.height, shape.width) / side);
  const { height, width, ...rest } = factor > 1 ? shrunk(shape, pixels, factor) : { ...shape, pixels };
  const png = encodePng({ channels: shape.channels, height, width }, rest.pixels);
  return { source: `data:image/png;base64,${Buffer.from(png).toString("base64")}`, width, height };
}

function shrunk({ channels, height, width }: ImageShape, pixels: Uint8Array, factor: number) {
  const rows = Math.ceil(height / factor);
  const columns = Math.ceil(width / factor);
  const small = new Uint8Array(channels * rows * columns);
  for (let place = 0; place < small.length; place++) {
    const column = place % columns;
    const row = Math.floor(place / columns) % rows;
    const channel = Math.floor(place / (columns * rows));
    const [bottom, right] = [Math.min((row + 1) * factor, height), Math.min((column + 1) * factor, width)];
    let sum = 0;
    for (let y = row * factor; y < bottom; y++) {
      for (let x = column * factor; x < right; x++) sum += pixels[(channel * height + y) * width + x];
    }
    small[place] = Math.round(sum / ((bottom - row * factor) * (right - column * factor)));
  }
  return { height: rows, width: columns, pixels: small };
}

/** The pixels of one image of a set. */
export function pixelsOf(set: ImageSet, image: number): Uint8Array {
  const size = bytesPerImage(set);
  return set.pixels.subarray(image * size, (image + 1) * size);
}

/** Numbers from 0 to below `count`, evenly spaced, the first and the last among them; all where they are no more. */
export function evenly(count: number, most: number): number[] {
  if (count <= most) return Array.from({ length: count }, (_, index) => index);
  return Array.from({ length: most }, (_, index) => Math.round((index * (count - 1)) / Math.max(1, most - 1)));
}
