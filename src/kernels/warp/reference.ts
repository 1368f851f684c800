import { blendPixel, type HostBlend } from "../mixup/reference.js";
import {
  AFFINE_WORDS,
  expectSides,
  fixedRanges,
  GRID_SIDE,
  gridStep,
  ONE,
  warpWords,
  type Normalisation,
  type WarpRanges,
} from "./contract.js";
import { drawWarp } from "./draws.js";

/** What warps are drawn by, on the host. */
export interface HostDraw {
  readonly ranges: WarpRanges;
  readonly seed: number;
  readonly stream: number;
  /** The counter's value. */
  readonly step: number;
}

/**
 * Defines drawWarps: the warps of `keys`, row by row. Into `out` where given.
 * @throws InputError where a range is not what {@link WarpRanges} allows.
 */
export function drawWarpsReference(
  keys: ArrayLike<number>,
  { ranges, seed, stream, step }: HostDraw,
  out = new Uint32Array(keys.length * warpWords(ranges)),
): Uint32Array {
  const words = warpWords(ranges);
  const fixed = fixedRanges("drawWarps", ranges);
  for (let row = 0; row < keys.length; row++) {
    drawWarp(keys[row], step, stream, seed, fixed, out.subarray(row * words, (row + 1) * words));
  }
  return out;
}

/** An image's pixels as a warp sees them: by channel, row and column, all within the image. */
type PixelAt = (channel: number, y: number, x: number) => number;

/** Pixels of warped images of one size. */
class Sampler {
  private readonly warps: Int32Array;
  private readonly words: number;
  private readonly stepY: number;
  private readonly stepX: number;

  constructor(
    warps: Uint32Array,
    rows: number,
    private readonly height: number,
    private readonly width: number,
  ) {
    this.warps = new Int32Array(warps.buffer, warps.byteOffset, warps.length);
    this.words = warps.length / rows;
    this.stepY = gridStep(height);
    this.stepX = gridStep(width);
  }

  /**
   * Where output pixel (y, x) of warp `row` lies in the source, in 256ths of a pixel: [y, x]. Sums wrap at 32 bits, as
   * the device's do.
   */
  position(row: number, y: number, x: number): [number, number] {
    const warp = this.warps.subarray(row * this.words, (row + 1) * this.words);
    // Twice the distance from the middle, which may lie between two pixels.
    const dy = 2 * y - (this.height - 1);
    const dx = 2 * x - (this.width - 1);
    let right = ((Math.imul(warp[0], dx) + Math.imul(warp[1], dy)) >> 1) + warp[4] + (this.width - 1) * (ONE / 2);
    let down = ((Math.imul(warp[2], dx) + Math.imul(warp[3], dy)) >> 1) + warp[5] + (this.height - 1) * (ONE / 2);
    if (this.words > AFFINE_WORDS && warp[6] !== 0) {
      right += this.displacement(warp, y, x, 0);
      down += this.displacement(warp, y, x, 1);
    }
    return [(down + 128) >> 8, (right + 128) >> 8];
  }

  /** The displacement at (y, x) on one axis, bilinear between the four nodes around it. */
  private displacement(warp: Int32Array, y: number, x: number, axis: number): number {
    const gridY = y * this.stepY;
    const gridX = x * this.stepX;
    const cellY = Math.min(gridY >> 16, GRID_SIDE - 2);
    const cellX = Math.min(gridX >> 16, GRID_SIDE - 2);
    const shareY = (gridY - cellY * ONE) >> 8;
    const shareX = (gridX - cellX * ONE) >> 8;
    const along = (column: number) => {
      const node = AFFINE_WORDS + 2 * (cellY * GRID_SIDE + column) + axis;
      return (Math.imul(warp[node], 256 - shareY) + Math.imul(warp[node + 2 * GRID_SIDE], shareY)) >> 8;
    };
    return (Math.imul(along(cellX), 256 - shareX) + Math.imul(along(cellX + 1), shareX)) >> 8;
  }

  /**
   * The 8-bit pixel of warp `row` at a position of {@link position}: bilinear, rounded half up, black outside; then
   * times the warp's brightness, rounded half up, at most 255.
   */
  pixel(row: number, pixelAt: PixelAt, channel: number, [down, right]: readonly [number, number]): number {
    const [y, x] = [down >> 8, right >> 8];
    const [shareY, shareX] = [down & 255, right & 255];
    const tap = (tapY: number, tapX: number) =>
      tapY >= 0 && tapY < this.height && tapX >= 0 && tapX < this.width ? pixelAt(channel, tapY, tapX) : 0;
    const above = tap(y, x) * (256 - shareX) + tap(y, x + 1) * shareX;
    const below = tap(y + 1, x) * (256 - shareX) + tap(y + 1, x + 1) * shareX;
    const value = (above * (256 - shareY) + below * shareY + ONE / 2) >>> 16;
    const brightness = this.warps[row * this.words + 7];
    return Math.min((Math.imul(value, brightness) + ONE / 2) >>> 16, 255);
  }
}

/** Calls `write` with the place in `out` and the place in the image of each of `count` images' pixels, in order. */
function eachPixel(
  count: number,
  [channels, height, width]: readonly number[],
  write: (place: number, image: number, channel: number, y: number, x: number) => void,
): void {
  let place = 0;
  for (let image = 0; image < count; image++) {
    for (let channel = 0; channel < channels; channel++) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) write(place++, image, channel, y, x);
      }
    }
  }
}

/** Defines warpBlends before it normalises: pixels that are blended as blendPixels does, then warped. */
export function warpPixelsReference(
  images: Uint8Array,
  blend: HostBlend,
  warps: Uint32Array,
  shape: readonly number[],
): Uint8Array {
  const [channels, height, width] = shape;
  const size = channels * height * width;
  const last = images.length / size - 1;
  const count = blend.first.length;
  const sampler = new Sampler(warps, count, height, width);
  const out = new Uint8Array(count * size);
  eachPixel(count, shape, (place, b, channel, y, x) => {
    const first = Math.min(blend.first[b], last) * size;
    const second = Math.min(blend.second[b], last) * size;
    const blended: PixelAt = (c, tapY, tapX) => {
      const at = (c * height + tapY) * width + tapX;
      return blendPixel(images[first + at], images[second + at], blend.weight[b]);
    };
    out[place] = sampler.pixel(b, blended, channel, sampler.position(b, y, x));
  });
  return out;
}

/** Compositions as host arrays: see Composition. */
export interface HostComposition extends HostBlend {
  readonly box: Uint32Array;
}

/**
 * Defines composeImages before it normalises, and is what a teacher is shown: the 8-bit pixels [B, C, H, W] of
 * compositions of `images` [n, C, H, W], `shape` being C H W, and `warps` two rows for each.
 * @throws ShapeError where a side is longer than 4096 pixels.
 */
export function composeOnHost(
  images: Uint8Array,
  shape: readonly number[],
  { first, second, weight, box }: HostComposition,
  warps: Uint32Array,
): Uint8Array {
  expectSides("composeOnHost", shape);
  const [channels, height, width] = shape;
  const size = channels * height * width;
  const last = images.length / size - 1;
  const count = first.length;
  const sampler = new Sampler(warps, 2 * count, height, width);
  const out = new Uint8Array(count * size);
  const pixelsOf = (image: number): PixelAt => {
    const start = Math.min(image, last) * size;
    return (channel, y, x) => images[start + (channel * height + y) * width + x];
  };
  eachPixel(count, shape, (place, b, channel, y, x) => {
    const other = sampler.pixel(2 * b + 1, pixelsOf(second[b]), channel, sampler.position(2 * b + 1, y, x));
    const [rows, columns] = [box[2 * b], box[2 * b + 1]];
    const inside = y >= (rows & 0xffff) && y < rows >>> 16 && x >= (columns & 0xffff) && x < columns >>> 16;
    out[place] = inside
      ? other
      : blendPixel(sampler.pixel(2 * b, pixelsOf(first[b]), channel, sampler.position(2 * b, y, x)), other, weight[b]);
  });
  return out;
}

/** (pixel / 255 − mean) / std of pixels [B, C, H, W], `shape` being C H W. */
export function normaliseReference(
  pixels: Uint8Array,
  out: Float32Array,
  [channels, height, width]: readonly number[],
  { mean, std }: Normalisation,
): void {
  for (let place = 0; place < pixels.length; place++) {
    const channel = Math.floor(place / (height * width)) % channels;
    out[place] = (pixels[place] / 255 - mean[channel]) / std[channel];
  }
}
