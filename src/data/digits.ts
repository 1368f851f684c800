/**
 * The embedded image set: digits drawn by strokes. What varies from image to image is the way of writing, the place of
 * each control point, width, height, slant, rotation, shift, the thickness and strength of the pen, and noise.
 */
import { InputError } from "../errors.js";
import { Philox, RandomStream } from "../tensor/random.js";
import { DIGIT_STROKES, type Point, type Stroke } from "./digit-strokes.js";
import type { ImageSet } from "./image-set.js";
import { MAX_BYTES } from "./limits.js";

/** How digits are drawn. */
export interface DigitsOptions {
  /** Height and width in pixels, 12 to 256; 20 if not given. */
  size?: number;
}

const CLASSES = 10;
/** Pieces that a curve is divided into between two of its points. */
const PIECES = 4;
/** Half of the thinnest stroke, in pixels: a thinner one would be lost between pixels' centres in small images. */
const THINNEST = 0.35;

/** How much each thing varies. Lengths are shares of the image's side, angles in radians. */
const VARIATION = {
  pointJitter: 0.03,
  scale: [0.68, 0.98],
  stretch: 0.14,
  slant: [-0.12, 0.42],
  rotation: 0.16,
  shift: 0.08,
  halfThickness: [0.018, 0.062],
  ink: [0.5, 1],
  noise: [0.02, 0.12],
} as const;

function between(random: Philox, [low, high]: readonly [number, number]): number {
  return low + (high - low) * random.float();
}

/** Value at `t` in 0…1 of the cubic through b and c, with a before and d after (Catmull–Rom). */
function spline(a: number, b: number, c: number, d: number, t: number): number {
  return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}

/** The corners of the polyline that a stroke is drawn as. */
function toPolyline({ kind }: Stroke, points: Point[]): Point[] {
  if (kind === "line") return points;
  const last = points.length - 1;
  const at = (i: number) =>
    kind === "loop" ? points[(i + points.length) % points.length] : points[Math.min(Math.max(i, 0), last)];
  const polyline: Point[] = [points[0]];
  for (let i = 0; i < (kind === "loop" ? points.length : last); i++) {
    const [a, b, c, d] = [at(i - 1), at(i), at(i + 1), at(i + 2)];
    for (let piece = 1; piece <= PIECES; piece++) {
      const t = piece / PIECES;
      polyline.push([spline(a[0], b[0], c[0], d[0], t), spline(a[1], b[1], c[1], d[1], t)]);
    }
  }
  return polyline;
}

/** One random way of placing the unit box in an image of `size` pixels. */
function randomPlacement(random: Philox, size: number): (point: Point) => Point {
  const scale = between(random, VARIATION.scale);
  const scaleX = size * scale * (1 + VARIATION.stretch * random.normal());
  const scaleY = size * scale;
  const slant = between(random, VARIATION.slant);
  const angle = VARIATION.rotation * random.normal();
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
  const centerX = size * (0.5 + VARIATION.shift * (2 * random.float() - 1));
  const centerY = size * (0.5 + VARIATION.shift * (2 * random.float() - 1));
  return ([unitX, unitY]) => {
    const y = scaleY * (unitY - 0.5 + VARIATION.pointJitter * random.normal());
    const x = scaleX * (unitX - 0.5 + VARIATION.pointJitter * random.normal()) - slant * y;
    return [centerX + cos * x - sin * y, centerY + sin * x + cos * y];
  };
}

/** Lowers `squared`, each pixel's squared distance to the nearest stroke, to that of a segment, up to `reach` away. */
function approachSegment(squared: Float32Array, size: number, [x0, y0]: Point, [x1, y1]: Point, reach: number): void {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const lengthSquared = dx * dx + dy * dy;
  const inverse = lengthSquared > 0 ? 1 / lengthSquared : 0;
  const left = Math.max(0, Math.ceil(Math.min(x0, x1) - reach - 0.5));
  const right = Math.min(size - 1, Math.floor(Math.max(x0, x1) + reach - 0.5));
  const top = Math.max(0, Math.ceil(Math.min(y0, y1) - reach - 0.5));
  const bottom = Math.min(size - 1, Math.floor(Math.max(y0, y1) + reach - 0.5));
  for (let row = top; row <= bottom; row++) {
    const py = row + 0.5 - y0;
    for (let column = left; column <= right; column++) {
      const px = column + 0.5 - x0;
      const t = Math.min(1, Math.max(0, (px * dx + py * dy) * inverse));
      const [ex, ey] = [px - t * dx, py - t * dy];
      const distance = ex * ex + ey * ey;
      if (distance < squared[row * size + column]) squared[row * size + column] = distance;
    }
  }
}

/** Nearly normal with variance 1: the sum of a word's four bytes, one word instead of the two that a normal takes. */
function roughNormal(word: number): number {
  const sum = (word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24);
  return (sum - 510) / 147.8;
}

function drawDigit(digit: number, random: Philox, size: number, squared: Float32Array, pixels: Uint8Array): void {
  const ways = DIGIT_STROKES[digit];
  const strokes = ways[random.below(ways.length)];
  const place = randomPlacement(random, size);
  const halfThickness = Math.max(THINNEST, size * between(random, VARIATION.halfThickness));
  const ink = between(random, VARIATION.ink);
  const noise = 255 * between(random, VARIATION.noise);
  // A pixel's cover falls from 1 to 0 over the pixel's width at the stroke's edge: anti-aliasing by distance.
  const reach = halfThickness + 0.5;
  squared.fill(reach * reach);
  for (const stroke of strokes) {
    const polyline = toPolyline(stroke, stroke.points.map(place));
    for (let i = 1; i < polyline.length; i++) approachSegment(squared, size, polyline[i - 1], polyline[i], reach);
  }
  for (let i = 0; i < pixels.length; i++) {
    const cover = Math.min(1, reach - Math.sqrt(squared[i]));
    const value = 255 * ink * cover + noise * roughNormal(random.uint32());
    pixels[i] = Math.min(255, Math.max(0, Math.round(value)));
  }
}

/**
 * Draws `count` grey images of digits, bright on black, labels 0 to 9 in turn. Image i depends on `seed`, i and `size`
 * alone, so a longer set begins with the shorter one; sets of different seeds share nothing.
 * @param seed whole number, 0 to 2^32 − 1
 * @throws InputError if `count` or `size` is out of range; RangeError if `seed` is
 */
export function drawDigits(count: number, seed: number, { size = 20 }: DigitsOptions = {}): ImageSet {
  if (!Number.isInteger(size) || size < 12 || size > 256) {
    throw new InputError(
      `drawDigits: size is ${size}, expected a whole number of pixels from 12 to 256; choose another size`,
    );
  }
  const area = size * size;
  const most = Math.floor(MAX_BYTES / area);
  if (!Number.isInteger(count) || count < 1 || count > most) {
    throw new InputError(
      `drawDigits: count is ${count}, expected a whole number of images from 1 to ${most}; choose another count`,
    );
  }
  const pixels = new Uint8Array(count * area);
  const labels = new Uint8Array(count);
  const squared = new Float32Array(area);
  for (let index = 0; index < count; index++) {
    const label = index % CLASSES;
    labels[index] = label;
    const random = new Philox(seed, RandomStream.digits, index);
    drawDigit(label, random, size, squared, pixels.subarray(index * area, (index + 1) * area));
  }
  return {
    name: `drawn digits, seed ${seed}`,
    count,
    channels: 1,
    height: size,
    width: size,
    pixels,
    labels,
    classes: CLASSES,
  };
}
