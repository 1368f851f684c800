import { multiplyHigh, philox4x32, type Words4 } from "../../tensor/random.js";
import { AFFINE_WORDS, GRID_SIDE, ONE, type FixedRanges } from "./contract.js";

/** Uniform in −largest … largest, by a random word. */
const uniform = (word: number, largest: number) => multiplyHigh(word, 2 * largest + 1) - largest;

/** a·b of numbers in 65536ths, rounded toward 0. */
const product = (a: number, b: number) => Math.trunc((a * b) / ONE);

/** a·b of numbers in 65536ths from 0 to 1, rounded down. */
const part = (a: number, b: number) => Math.floor((a * b) / ONE);

/** Sine and cosine, in 65536ths, of an angle of at most 45° in 65536ths of a radian: Taylor, to 5 of these units. */
export function sineCosine(angle: number): [number, number] {
  const size = Math.abs(angle);
  const square = part(size, size);
  let sine = ONE - Math.floor(square / 42);
  sine = ONE - Math.floor(part(square, sine) / 20);
  sine = ONE - Math.floor(part(square, sine) / 6);
  sine = part(size, sine);
  let cosine = ONE - Math.floor(square / 56);
  cosine = ONE - Math.floor(part(square, cosine) / 30);
  cosine = ONE - Math.floor(part(square, cosine) / 12);
  cosine = ONE - Math.floor(part(square, cosine) / 2);
  return [angle < 0 ? -sine : sine, cosine];
}

/** A Gaussian displacement in 65536ths of a pixel: the sum of the four halves of two random words, about its mean. */
function displacement(a: number, b: number, elastic: number): number {
  const sum = (a & 0xffff) + (a >>> 16) + (b & 0xffff) + (b >>> 16);
  return ((sum - 2 * 65535) * elastic) >> 11;
}

/**
 * Writes the warp of `key` at step `counter` to `out`, {@link AFFINE_WORDS} words or, with displacements,
 * as many as two more for each node. The same words as the device draws.
 */
export function drawWarp(
  key: number,
  counter: number,
  stream: number,
  seed: number,
  ranges: FixedRanges,
  out: Uint32Array,
): void {
  const block = (number: number): Words4 => philox4x32([key, counter, stream, number], [seed, 0]);
  const [chance, coin, turn, size] = block(0);
  const warped = chance >>> 16 < ranges.share;
  out.fill(0);
  out[0] = out[3] = out[7] = ONE;
  if (warped) {
    const [slant, down, right, light] = block(1);
    const [sine, cosine] = sineCosine(uniform(turn, ranges.rotation));
    const scale = ONE + uniform(size, ranges.scale);
    const shear = uniform(slant, ranges.shear);
    out[0] = product(scale, cosine);
    out[1] = product(scale, product(cosine, shear) - sine);
    out[2] = product(scale, sine);
    out[3] = product(scale, product(sine, shear) + cosine);
    out[4] = uniform(right, ranges.shift);
    out[5] = uniform(down, ranges.shift);
    out[7] = ONE + uniform(light, ranges.brightness);
    if (out.length > AFFINE_WORDS) {
      out[6] = 1;
      for (let node = 0; node < GRID_SIDE * GRID_SIDE; node++) {
        const words = block(2 + node);
        out[AFFINE_WORDS + 2 * node] = displacement(words[0], words[1], ranges.elastic);
        out[AFFINE_WORDS + 2 * node + 1] = displacement(words[2], words[3], ranges.elastic);
      }
    }
  }
  if (ranges.flip !== 0 && coin >>> 31 === 1) {
    out[0] = -out[0];
    out[2] = -out[2];
  }
}
