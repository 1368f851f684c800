import { InputError } from "../errors.js";
import { blendPixel, WHOLE_WEIGHT } from "../kernels/index.js";

/** A mixture λ·x_first + (1 − λ)·x_second of two of the n real images, by their numbers. */
export interface MixedPair {
  readonly first: number;
  readonly second: number;
  /** Above 0, and 1 for a real image. */
  readonly lambda: number;
}

/** The authors' grid of λ: 0.30, 0.34, … 0.70. */
export const paperLambdas: readonly number[] = Array.from({ length: 11 }, (_, index) => (30 + 4 * index) / 100);

/** λ as the image kernel takes it: in 65536ths, so that blends are whole-number arithmetic, the same everywhere. */
export function lambdaWeight(lambda: number): number {
  return Math.round(lambda * WHOLE_WEIGHT);
}

/**
 * The 8-bit pixels of blends: what the teacher is shown, and what the image kernel computes for the student.
 * @param images real images, N C H W, 8 bits
 * @param imageSize C · H · W
 */
export function blendOnHost(images: Uint8Array, imageSize: number, blends: readonly MixedPair[]): Uint8Array {
  const pixels = new Uint8Array(blends.length * imageSize);
  for (const [index, { first, second, lambda }] of blends.entries()) {
    const weight = lambdaWeight(lambda);
    const a = first * imageSize;
    const b = second * imageSize;
    for (let p = 0; p < imageSize; p++) {
      pixels[index * imageSize + p] = blendPixel(images[a + p], images[b + p], weight);
    }
  }
  return pixels;
}

/**
 * Requires a usable λ grid.
 * @throws InputError that names `--lambdas`.
 */
export function checkLambdas(lambdas: readonly number[]): void {
  if (lambdas.length === 0 || lambdas.length > 64) {
    throw new InputError(`--lambdas gives ${lambdas.length} values; expected 1 to 64`);
  }
  for (const lambda of lambdas) {
    if (!(lambda > 0 && lambda < 1)) {
      throw new InputError(
        `--lambdas holds ${lambda}; expected numbers between 0 and 1, where a blend is none of its two`,
      );
    }
  }
}
