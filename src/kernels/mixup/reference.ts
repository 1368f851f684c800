import { WHOLE_WEIGHT, type FeatureSizes } from "./contract.js";
import { drawAugment, drawLambda } from "./draws.js";
import { pairOf } from "./pairs.js";

/** Blends as host arrays. */
export interface HostBlend {
  readonly first: Uint32Array;
  readonly second: Uint32Array;
  readonly weight: Uint32Array;
}

/** The 8-bit pixel of two, the first's share in 65536ths: (a·w + b·(65536 − w)) / 65536 rounded half up. */
export function blendPixel(a: number, b: number, weight: number): number {
  return (a * weight + b * (WHOLE_WEIGHT - weight) + WHOLE_WEIGHT / 2) >>> 16;
}

/** Defines blendPixels: image by image, `size` = C·H·W pixels each. */
export function blendPixelsReference(images: Uint8Array, blend: HostBlend, out: Uint8Array, size: number): void {
  const last = images.length / size - 1;
  for (let b = 0; b < blend.first.length; b++) {
    const first = Math.min(blend.first[b], last) * size;
    const second = Math.min(blend.second[b], last) * size;
    const weight = blend.weight[b];
    for (let p = 0; p < size; p++) {
      out[b * size + p] = blendPixel(images[first + p], images[second + p], weight);
    }
  }
}

/** Defines blend: rows of `rowSize` elements, the first of which has weight `firstRow`. */
export function blendReference(
  a: Float32Array,
  b: Float32Array,
  weights: Float32Array,
  out: Float32Array,
  firstRow: number,
  rowSize: number,
): void {
  for (let index = 0; index < out.length; index++) {
    const weight = weights[firstRow + Math.floor(index / rowSize)];
    out[index] = weight * a[index] + (1 - weight) * b[index];
  }
}

/** Augmentation with the counter's value. */
export interface HostAugment {
  readonly crop: number;
  readonly flip: boolean;
  readonly seed: number;
  readonly step: number;
}

/** Defines blendImages: (pixel / 255 − mean) / std, of pixels that are blended as blendPixels does, then moved. */
export function blendImagesReference(
  images: Uint8Array,
  blend: HostBlend,
  out: Float32Array,
  [channels, height, width]: readonly number[],
  mean: readonly number[],
  std: readonly number[],
  augment: HostAugment | undefined,
): void {
  const size = channels * height * width;
  const last = images.length / size - 1;
  let target = 0;
  for (let b = 0; b < blend.first.length; b++) {
    const first = Math.min(blend.first[b], last) * size;
    const second = Math.min(blend.second[b], last) * size;
    const weight = blend.weight[b];
    const { shiftY, shiftX, flip } = augment
      ? drawAugment(b, augment.step, augment.seed, augment.crop, augment.flip)
      : { shiftY: 0, shiftX: 0, flip: false };
    for (let c = 0; c < channels; c++) {
      for (let y = 0; y < height; y++) {
        const fromY = y + shiftY;
        const row = (c * height + fromY) * width;
        for (let x = 0; x < width; x++) {
          const fromX = (flip ? width - 1 - x : x) + shiftX;
          const inside = fromY >= 0 && fromY < height && fromX >= 0 && fromX < width;
          const pixel = inside ? blendPixel(images[first + row + fromX], images[second + row + fromX], weight) : 0;
          out[target++] = (pixel / 255 - mean[c]) / std[c];
        }
      }
    }
  }
}

/** What candidateBlends knows on the host. */
export interface HostCandidates {
  readonly images: number;
  readonly pool: number;
  readonly pairs: Uint32Array | undefined;
  readonly lambdas: Uint32Array;
  /** The counter's value. */
  readonly step: number;
  readonly batch: number;
  readonly single: { readonly seed: number } | undefined;
}

/** Defines candidateBlends: candidate min(step · P + p, pool − 1) at each λ, or at one. */
export function candidateBlendsReference(candidates: HostCandidates, out: HostBlend): void {
  const { images, pool, pairs, lambdas, step, batch, single } = candidates;
  const perPair = single ? 1 : lambdas.length;
  for (let p = 0; p < batch; p++) {
    const candidate = Math.min(step * batch + p, pool - 1);
    const [i, j] = pairOf(pairs ? pairs[candidate] : candidate, images);
    for (let l = 0; l < perPair; l++) {
      const index = p * perPair + l;
      out.first[index] = i;
      out.second[index] = j;
      out.weight[index] = lambdas[single ? drawLambda(candidate, single.seed, lambdas.length) : l];
    }
  }
}

/**
 * Defines blendFeatures: max(0, bias + the largest blend w·a + (1 − w)·b of the window), NaN where one of these is NaN;
 * without the maximum with 0 where not `relu`.
 */
export function blendFeaturesReference(
  features: Float32Array,
  blend: HostBlend,
  bias: Float32Array | undefined,
  out: Float32Array,
  sizes: FeatureSizes,
  relu: boolean,
): void {
  const { images, pairs, perPair, channels, height, width, outHeight, outWidth, kernel, stride } = sizes;
  const start = (image: number) => Math.min(image, images - 1) * channels * height * width;
  let target = 0;
  for (let b = 0; b < pairs * perPair; b++) {
    const pair = b - (b % perPair);
    const [first, second] = [start(blend.first[pair]), start(blend.second[pair])];
    const share = blend.weight[b] / WHOLE_WEIGHT;
    for (let c = 0; c < channels; c++) {
      for (let y = 0; y < outHeight; y++) {
        for (let x = 0; x < outWidth; x++) {
          let best = -Infinity;
          for (let ky = 0; ky < kernel; ky++) {
            for (let kx = 0; kx < kernel; kx++) {
              const at = (c * height + y * stride + ky) * width + x * stride + kx;
              // Math.max is NaN where one of its numbers is.
              best = Math.max(best, share * features[first + at] + (1 - share) * features[second + at]);
            }
          }
          const value = best + (bias?.[c] ?? 0);
          out[target++] = relu ? Math.max(0, value) : value;
        }
      }
    }
  }
}
