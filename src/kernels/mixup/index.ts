import { hostArray } from "../../tensor/cpu/device.js";
import type { Recorder } from "../../tensor/recording.js";
import type { Tensor } from "../../tensor/tensor.js";
import {
  blendShape,
  candidateCount,
  expectImageOptions,
  featureSizes,
  type Blend,
  type BlendFeaturesOptions,
  type BlendImagesOptions,
  type CandidateOptions,
} from "./contract.js";
import { output, type Target } from "../output.js";
import { planBlendFeatures, planBlendImages, planBlendPixels, planCandidateBlends } from "./plan.js";
import {
  blendFeaturesReference,
  blendImagesReference,
  blendPixelsReference,
  candidateBlendsReference,
  type HostAugment,
  type HostBlend,
} from "./reference.js";

export { blend } from "./blend.js";
export {
  WHOLE_WEIGHT,
  type AugmentOptions,
  type Blend,
  type BlendFeaturesOptions,
  type BlendImagesOptions,
  type CandidateOptions,
  type FeaturePool,
} from "./contract.js";
export { drawAugment, drawLambda, type AugmentDraw } from "./draws.js";
export { MOST_PAIRED_IMAGES, pairCount, pairNumber, pairOf } from "./pairs.js";
export { planBlend, planBlendFeatures, planBlendImages, planBlendPixels, planCandidateBlends } from "./plan.js";
export {
  blendFeaturesReference,
  blendImagesReference,
  blendPixel,
  blendPixelsReference,
  blendReference,
  candidateBlendsReference,
  type HostAugment,
  type HostBlend,
  type HostCandidates,
} from "./reference.js";

const hostBlend = ({ first, second, weight }: Blend): HostBlend => ({
  first: hostArray(first),
  second: hostArray(second),
  weight: hostArray(weight),
});

/**
 * The 8-bit pixels of blends, u8 [B, C, H, W], of `images` u8 [n, C, H, W]: what a teacher is shown. Whole-number
 * arithmetic, (a·w + b·(65536 − w) + 32768) >> 16, the same bits on every device.
 * @throws ShapeError where `images` has not four axes, or the tensors of `blend` are not all [B]; DTypeError where
 * `images` is not u8, or a tensor of `blend` not u32.
 */
export function blendPixels(recorder: Recorder, images: Tensor<"u8">, blend: Blend): Tensor<"u8"> {
  const shape = blendShape("blendPixels", images, blend);
  const size = images.size / images.shape[0];
  const out = recorder.temporary(shape, "blendPixels", "u8");
  recorder.add({
    kernel: "blendPixels",
    reads: [images, blend.first, blend.second, blend.weight],
    writes: [out],
    reference: () => {
      blendPixelsReference(hostArray(images), hostBlend(blend), hostArray(out), size);
    },
    plan: () => planBlendPixels(shape[0], size, images.shape[0]),
  });
  return out;
}

/**
 * Blends as a network takes them, f32 [B, C, H, W], of `images` u8 [n, C, H, W], in one pass: pixels are blended to the
 * very 8 bits of {@link blendPixels}, cropped and flipped at random where `augment` says so, and normalised to
 * (pixel / 255 − mean) / std. C is at most 4.
 * @throws ShapeError where `images` has not four axes or more than 4 channels, the tensors of `blend` are not all [B],
 * `mean` or `std` has not one finite number for each channel, or the counter is not [1]; DTypeError where `images` is
 * not u8, or a tensor of `blend` or the counter not u32; InputError where an `std` is not above 0, `crop` is not a
 * whole number from 0 to the longer side, or the seed is not of 32 bits.
 */
export function blendImages(
  recorder: Recorder,
  images: Tensor<"u8">,
  blend: Blend,
  options: BlendImagesOptions,
): Tensor<"f32"> {
  const shape = blendShape("blendImages", images, blend);
  expectImageOptions(shape, options);
  const { mean, std, augment } = options;
  const out = recorder.temporary(shape, "blendImages");
  recorder.add({
    kernel: "blendImages",
    reads: [images, blend.first, blend.second, blend.weight, augment?.counter ?? blend.first],
    writes: [out],
    reference: () => {
      const host: HostAugment | undefined = augment && { ...augment, step: hostArray(augment.counter)[0] };
      blendImagesReference(hostArray(images), hostBlend(blend), hostArray(out), shape.slice(1), mean, std, host);
    },
    plan: () => planBlendImages(shape[0], shape.slice(1), images.shape[0], options),
  });
  return out;
}

/**
 * Blends of features, f32 [P·L, C, OH, OW], of `features` f32 [n, C, H, W]: w·a + (1 − w)·b, `bias`, ReLU and max
 * pooling as the options say, in one pass. Where `features` is the linear part of a convolution of all n images, this is
 * that convolution of blended images, but for rounding, without convolving them: a convolution commutes with blending.
 * The maximum is taken before the bias and ReLU, which change no order. `out` is wholly overwritten.
 * @throws ShapeError where `features` has not four axes, the tensors of `blend` are not all [B], B not a multiple of
 * `perPair`, `bias` not [C], the window does not fit, or `out` has another shape; DTypeError where `features`, `bias` or
 * `out` is not f32, or a tensor of `blend` not u32; InputError where `kernel` or `stride` is no whole number from 1 up.
 */
export function blendFeatures(
  recorder: Recorder,
  features: Tensor<"f32">,
  blend: Blend,
  options: BlendFeaturesOptions & Target,
): Tensor<"f32"> {
  const sizes = featureSizes(features, blend, options);
  const { bias, relu = false } = options;
  const shape = [sizes.pairs * sizes.perPair, sizes.channels, sizes.outHeight, sizes.outWidth];
  const out = output(recorder, "blendFeatures", shape, options);
  recorder.add({
    kernel: "blendFeatures",
    reads: [features, blend.first, blend.second, blend.weight, bias ?? features],
    writes: [out],
    reference: () => {
      const host = [hostArray(features), hostBlend(blend), bias && hostArray(bias), hostArray(out)] as const;
      blendFeaturesReference(...host, sizes, relu);
    },
    plan: (capabilities) => planBlendFeatures(sizes, { hasBias: bias !== undefined, relu }, capabilities),
  });
  return out;
}

/**
 * The blends of the batch of candidates that the counter stands at, computed from their numbers: candidate
 * min(counter · P + p, pool − 1) at each λ of the grid, P·L blends, all λ of a candidate next to each other; or P blends,
 * each at one λ (`drawLambda`), where `single`. Pair numbers in `pairs` have to be those of n images.
 * @throws ShapeError where `images` is not 2 to 92681, `batch` not a whole number from 1 up, `lambdas` has not one
 * axis, `pairs` is not [pool], `pool` without `pairs` not the number of all pairs, or `counter` not [1]; DTypeError
 * where `lambdas`, `pairs` or `counter` is not u32; InputError where the seed is not of 32 bits.
 */
export function candidateBlends(recorder: Recorder, options: CandidateOptions): Blend {
  const { images, pool, pairs, lambdas, counter, batch, single } = options;
  const count = candidateCount(options);
  const blend = {
    first: recorder.temporary([count], "blend first", "u32"),
    second: recorder.temporary([count], "blend second", "u32"),
    weight: recorder.temporary([count], "blend weight", "u32"),
  };
  recorder.add({
    kernel: "candidateBlends",
    reads: [pairs ?? lambdas, lambdas, counter],
    writes: [blend.first, blend.second, blend.weight],
    reference: () => {
      candidateBlendsReference(
        {
          images,
          pool,
          batch,
          single,
          pairs: pairs && hostArray(pairs),
          lambdas: hostArray(lambdas),
          step: hostArray(counter)[0],
        },
        hostBlend(blend),
      );
    },
    plan: () => planCandidateBlends(options, count),
  });
  return blend;
}
