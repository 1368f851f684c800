import { InputError, ShapeError } from "../../errors.js";
import { expectRank, expectShape, type Shape } from "../../tensor/shape.js";
import { expectDType, type Tensor } from "../../tensor/tensor.js";
import { expectCounter, expectUint32 } from "../expect.js";
import { pool2dShape } from "../pool/contract.js";
import { pairCount } from "./pairs.js";

/** λ = 1 as a weight: weights are λ in 65536ths. */
export const WHOLE_WEIGHT = 65536;

/**
 * B blends λ·x_first + (1 − λ)·x_second of a set's images, by their numbers. A real image is a blend with itself, or
 * one of weight 65536.
 */
export interface Blend {
  /** [B]; a number past the last image means the last one. */
  readonly first: Tensor<"u32">;
  /** [B]. */
  readonly second: Tensor<"u32">;
  /** [B], the first image's share λ in 65536ths, 0 to 65536. */
  readonly weight: Tensor<"u32">;
}

/** Random changes of images, drawn anew for each batch element at each value of the counter. */
export interface AugmentOptions {
  /**
   * Pixels of black border, on all sides, out of which a window of the image's size is cropped: the image shifts by
   * −crop to crop on each axis, what enters is black (raw pixel 0, before normalisation).
   */
  readonly crop: number;
  /** Exchange left and right with probability ½, after the crop. */
  readonly flip: boolean;
  /** 0 to 2^32 − 1. */
  readonly seed: number;
  /** Step number, u32 [1]. */
  readonly counter: Tensor<"u32">;
}

/** How blended pixels become what a network takes. */
export interface BlendImagesOptions {
  /** Subtracted from pixels of 0 to 1, one for each channel. */
  readonly mean: readonly number[];
  /** Divides what is left, one for each channel. */
  readonly std: readonly number[];
  readonly augment?: AugmentOptions | undefined;
}

/** Which batch of which candidates is blended. */
export interface CandidateOptions {
  /** n, the number of images. */
  readonly images: number;
  /** Number of candidates. */
  readonly pool: number;
  /** Pair number of each candidate, [pool]; all n(n − 1) / 2 pairs in order where absent. */
  readonly pairs?: Tensor<"u32"> | undefined;
  /** Weights of the λ grid, [L], in 65536ths. */
  readonly lambdas: Tensor<"u32">;
  /** Which batch of the pool, u32 [1]: candidates from counter · batch on. */
  readonly counter: Tensor<"u32">;
  /** P, candidates a batch. */
  readonly batch: number;
  /** Blend each candidate at one λ of the grid, drawn from this seed, instead of at all. */
  readonly single?: { readonly seed: number } | undefined;
}

/** A max pooling without padding. */
export interface FeaturePool {
  /** Side of the window. */
  readonly kernel: number;
  readonly stride: number;
}

/** What blends of features are made of, and what follows them. */
export interface BlendFeaturesOptions {
  /** L: how many blends in a row are of the same two images; the numbers of the first of them count. */
  readonly perPair: number;
  /** Added to each channel of the blends, [C]. */
  readonly bias?: Tensor<"f32"> | undefined;
  /** max(0, ·) of the sum. */
  readonly relu?: boolean;
  /** Each window's largest value takes its place. */
  readonly pool?: FeaturePool | undefined;
}

/** Sizes of blends of features. */
export interface FeatureSizes {
  /** n, the number of images. */
  readonly images: number;
  /** P, pairs of images that are blended. */
  readonly pairs: number;
  /** L, blends of each. */
  readonly perPair: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly kernel: number;
  readonly stride: number;
}

/** Most channels of an image: mean and deviation travel in one vector each. */
const MOST_CHANNELS = 4;

/**
 * Shape of the images that `blend` makes of `images` [n, C, H, W]: [B, C, H, W].
 * @throws ShapeError where `images` has not four axes, or the tensors of `blend` are not all [B]; DTypeError where
 * `images` is not u8, or a tensor of `blend` not u32.
 */
export function blendShape(operation: string, images: Tensor, blend: Blend): Shape {
  expectRank(operation, "images", images.shape, "N C H W");
  expectDType(operation, "images", images, "u8");
  return [...expectBlend(operation, blend), ...images.shape.slice(1)];
}

/**
 * Requires the tensors of a blend to be u32 of one shape, [B], which it returns.
 * @throws ShapeError where they are not all [B], DTypeError where one is not u32.
 */
function expectBlend(operation: string, { first, second, weight }: Blend): Shape {
  expectRank(operation, "first", first.shape, "B");
  for (const [what, tensor] of Object.entries({ first, second, weight })) {
    expectShape(operation, what, tensor.shape, first.shape);
    expectDType(operation, what, tensor, "u32");
  }
  return first.shape;
}

/**
 * Requires a normalisation that fits images of `shape` [B, C, H, W]: at most four channels, and one number for each.
 * @throws ShapeError where there are more channels, or `mean` or `std` has not one finite number for each; InputError
 * where an `std` is not above 0.
 */
export function expectNormalisation(
  operation: string,
  shape: Shape,
  { mean, std }: { readonly mean: readonly number[]; readonly std: readonly number[] },
): void {
  const channels = shape[1];
  if (channels > MOST_CHANNELS) {
    throw new ShapeError(`${operation}: images have ${channels} channels; expected 1 to ${MOST_CHANNELS}`);
  }
  for (const [what, values] of Object.entries({ mean, std })) {
    if (values.length !== channels || !values.every((value) => Number.isFinite(value))) {
      throw new ShapeError(
        `${operation}: ${what} is [${values.join(", ")}]; expected ${channels} numbers, one a channel`,
      );
    }
  }
  if (!std.every((value) => value > 0)) {
    throw new InputError(`${operation}: std is [${std.join(", ")}]; expected numbers above 0`);
  }
}

/**
 * Requires normalisation and augmentation that fit images of `shape`.
 * @throws what blendImages throws.
 */
export function expectImageOptions(shape: Shape, options: BlendImagesOptions): void {
  expectNormalisation("blendImages", shape, options);
  const { augment } = options;
  if (!augment) return;
  expectCounter("blendImages", augment.counter);
  expectUint32("blendImages", "seed", augment.seed);
  const most = Math.max(shape[2], shape[3]);
  if (!Number.isInteger(augment.crop) || augment.crop < 0 || augment.crop > most) {
    throw new InputError(`blendImages: crop is ${augment.crop}; expected a whole number of pixels from 0 to ${most}`);
  }
}

/**
 * Number of blends that one batch of candidates makes: P·L, or P where each has a single λ.
 * @throws what candidateBlends throws.
 */
export function candidateCount({ images, pool, pairs, lambdas, counter, batch, single }: CandidateOptions): number {
  const operation = "candidateBlends";
  const all = pairCount(images);
  expectRank(operation, "lambdas", lambdas.shape, "L");
  expectDType(operation, "lambdas", lambdas, "u32");
  expectCounter(operation, counter);
  if (!Number.isInteger(batch) || batch < 1) {
    throw new ShapeError(`${operation}: batch is ${batch}; expected a whole number from 1 up`);
  }
  if (pairs) {
    expectShape(operation, "pairs", pairs.shape, [pool]);
    expectDType(operation, "pairs", pairs, "u32");
  } else if (pool !== all) {
    throw new ShapeError(
      `${operation}: pool is ${pool}, the pairs of ${images} images are ${all}; give \`pairs\` for a pool of some`,
    );
  }
  if (single) expectUint32(operation, "seed", single.seed);
  return batch * (single ? 1 : lambdas.shape[0]);
}

/**
 * Sizes of the blends that `blend` makes of `features` [n, C, H, W].
 * @throws what blendFeatures throws.
 */
export function featureSizes(features: Tensor, blend: Blend, options: BlendFeaturesOptions): FeatureSizes {
  const operation = "blendFeatures";
  const { perPair, bias, pool } = options;
  const [batch] = expectBlend(operation, blend);
  expectRank(operation, "features", features.shape, "N C H W");
  expectDType(operation, "features", features, "f32");
  const [images, channels, height, width] = features.shape;
  if (!Number.isInteger(perPair) || perPair < 1 || batch % perPair !== 0) {
    throw new ShapeError(
      `${operation}: perPair is ${perPair}; expected a whole number that divides the ${batch} blends`,
    );
  }
  if (bias) {
    expectShape(operation, "bias", bias.shape, [channels]);
    expectDType(operation, "bias", bias, "f32");
  }
  const { kernel, stride } = pool ?? { kernel: 1, stride: 1 };
  const [, , outHeight, outWidth] = pool2dShape([batch, channels, height, width], { kernel, stride }, operation);
  return { images, pairs: batch / perPair, perPair, channels, height, width, outHeight, outWidth, kernel, stride };
}
