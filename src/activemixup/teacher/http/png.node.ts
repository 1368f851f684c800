/** Encodes PNG images, in Node. */
import { PNG } from "pngjs";
import type { ImageShape } from "../../../nn/index.js";

const GREY = 0;
const COLOUR = 2;

/**
 * An image as a PNG file.
 * @param shape of 1 channel (grey) or 3 (red, green, blue)
 * @param pixels C H W, 8 bits
 */
export function encodePng({ channels, height, width }: ImageShape, pixels: Uint8Array): Uint8Array<ArrayBuffer> {
  const area = height * width;
  const interleaved = Buffer.alloc(channels * area);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < area; i++) interleaved[channels * i + channel] = pixels[channel * area + i];
  }
  const colorType = channels === 1 ? GREY : COLOUR;
  const png = new PNG({ width, height });
  png.data = interleaved;
  const file = PNG.sync.write(png, { colorType, inputColorType: colorType, inputHasAlpha: false });
  return Uint8Array.from(file);
}
