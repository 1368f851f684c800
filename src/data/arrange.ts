/** From the samples that a decoder gives to the planes of an image set: turned, on a background, in a frame. */
import type { DecodedImage } from "./decoded-image.js";
import type { ImageSize, Rgb } from "./image-options.js";

/** Samples of a pixel together, row by row, as stored. */
export interface Interleaved extends ImageSize {
  /** Samples a pixel: grey, grey and alpha, colour, or colour and alpha. */
  readonly samples: number;
  readonly data: Uint8Array;
}

/** The nearest 8-bit value of each 16-bit sample: 65535 is 255, and a sample below 128.5 is 0. */
export function toEightBits(deep: Uint16Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(deep, (value) => Math.floor((value * 255) / 65_535 + 0.5));
}

/** The largest size of the source's shape that fits into the frame; no side below 1. */
export function insideSize(source: ImageSize, frame: ImageSize): ImageSize {
  const scale = Math.min(frame.height / source.height, frame.width / source.width);
  const side = (length: number, most: number) => Math.min(most, Math.max(1, Math.round(length * scale)));
  return { height: side(source.height, frame.height), width: side(source.width, frame.width) };
}

/** How a place of a stored image, by row and column, becomes one of the turned image, for each orientation of EXIF. */
function turn(orientation: number, { height, width }: ImageSize): (row: number, column: number) => [number, number] {
  const [bottom, right] = [height - 1, width - 1];
  switch (orientation) {
    case 2:
      return (row, column) => [row, right - column];
    case 3:
      return (row, column) => [bottom - row, right - column];
    case 4:
      return (row, column) => [bottom - row, column];
    case 5:
      return (row, column) => [column, row];
    case 6:
      return (row, column) => [column, bottom - row];
    case 7:
      return (row, column) => [right - column, bottom - row];
    case 8:
      return (row, column) => [right - column, row];
    default:
      return (row, column) => [row, column];
  }
}

/** Whether a pixel lets the background through: an alpha channel alone does not tell, decoders add one that is opaque. */
function hasTransparency({ samples, data }: Interleaved): boolean {
  if (samples % 2 !== 0) return false;
  for (let at = samples - 1; at < data.length; at += samples) if (data[at] < 255) return true;
  return false;
}

/**
 * Turns an image, lays it on the background and sets it into the middle of a frame.
 * @param grey whether the file is grey, also where its samples are colours that are all grey
 * @param frame at least the size of the turned image; that size unless it is given
 * @returns 1 channel where the file is grey, and the background too where it is seen; else 3
 */
export function arrange(
  source: Interleaved,
  grey: boolean,
  orientation: number,
  background: Rgb,
  frame?: ImageSize,
): DecodedImage {
  const { samples, data } = source;
  const turned = orientation > 4 ? { height: source.width, width: source.height } : source;
  const { height, width } = frame ?? turned;
  const [top, left] = [Math.floor((height - turned.height) / 2), Math.floor((width - turned.width) / 2)];
  const framed = height > turned.height || width > turned.width;
  const transparent = hasTransparency(source);
  const greyBackground = background[0] === background[1] && background[1] === background[2];
  const channels = grey && (greyBackground || !(framed || transparent)) ? 1 : 3;
  const area = height * width;
  const pixels = new Uint8Array(channels * area);
  if (framed) for (let channel = 0; channel < channels; channel++) pixels.fill(background[channel], channel * area);
  const place = turn(orientation, source);
  for (let row = 0; row < source.height; row++) {
    for (let column = 0; column < source.width; column++) {
      const from = (row * source.width + column) * samples;
      const [to, across] = place(row, column);
      const at = (to + top) * width + across + left;
      const alpha = transparent ? data[from + samples - 1] : 255;
      for (let channel = 0; channel < channels; channel++) {
        const value = data[from + (grey || samples < 3 ? 0 : channel)];
        const shown = value * alpha + background[channel] * (255 - alpha);
        pixels[channel * area + at] = alpha === 255 ? value : Math.floor(shown / 255 + 0.5);
      }
    }
  }
  return { channels, height, width, pixels };
}

/** An image with 1 or 3 channels: colours become grey by their luma (ITU-R BT.601), grey is repeated. */
export function withChannels(image: DecodedImage, channels: 1 | 3): DecodedImage {
  if (image.channels === channels) return image;
  const area = image.height * image.width;
  const pixels = new Uint8Array(channels * area);
  if (channels === 3) for (let channel = 0; channel < 3; channel++) pixels.set(image.pixels, channel * area);
  else {
    const [red, green, blue] = [0, 1, 2].map((channel) => image.pixels.subarray(channel * area, (channel + 1) * area));
    // In 65536ths, so that every machine rounds alike; the three add up to 65536.
    for (let i = 0; i < area; i++) pixels[i] = (19_595 * red[i] + 38_470 * green[i] + 7471 * blue[i] + 32_768) >> 16;
  }
  return { ...image, channels, pixels };
}
