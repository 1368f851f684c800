import { hostArray } from "../../tensor/cpu/device.js";
import type { Recorder } from "../../tensor/recording.js";
import type { Tensor } from "../../tensor/tensor.js";
import type { Blend } from "../mixup/contract.js";
import {
  compositionShape,
  drawWarpsShape,
  fixedRanges,
  warpShape,
  type Composition,
  type DrawWarpsOptions,
  type Normalisation,
} from "./contract.js";
import { planComposeImages, planDrawWarps, planWarpBlends } from "./plan.js";
import { composeOnHost, drawWarpsReference, normaliseReference, warpPixelsReference } from "./reference.js";

export {
  AFFINE_WORDS,
  WARP_WORDS,
  warpWords,
  type Composition,
  type DrawWarpsOptions,
  type Normalisation,
  type WarpRanges,
} from "./contract.js";
export { planComposeImages, planDrawWarps, planWarpBlends } from "./plan.js";
export {
  composeOnHost,
  drawWarpsReference,
  warpPixelsReference,
  type HostComposition,
  type HostDraw,
} from "./reference.js";

/**
 * `count` random warps, u32 [count, {@link WARP_WORDS}], or [count, {@link AFFINE_WORDS}] where `elastic` is 0: i32 bit
 * patterns in 65536ths. Words 0 to 3 are the matrix, by rows, that takes an output pixel's (x, y) from the middle of
 * the image to the source's; 4 and 5 are what is added to x and y. Word 6 is 1 where the displacements (x, y) count
 * that follow word 7, those of the 5 × 5 nodes, row by row, where `elastic` is above 0. Word 7 is what pixels are
 * multiplied by. The same words on every device.
 * @throws ShapeError where `count` is not a whole number from 1 up, `keys` not [count], or `counter` not [1]; DTypeError
 * where one of these is not u32; InputError where a range is out of bounds, or seed or stream not of 32 bits.
 */
export function drawWarps(recorder: Recorder, count: number, options: DrawWarpsOptions): Tensor<"u32"> {
  const shape = drawWarpsShape(count, options);
  const { ranges, seed, stream, keys, counter } = options;
  const out = recorder.temporary(shape, "warps", "u32");
  recorder.add({
    kernel: "drawWarps",
    reads: [keys, counter].filter((tensor) => tensor !== undefined),
    writes: [out],
    reference: () => {
      const step = counter ? hostArray(counter)[0] : 0;
      const numbers = keys ? hostArray(keys) : Array.from({ length: count }, (_, number) => number);
      drawWarpsReference(numbers, { ranges, seed, stream, step }, hostArray(out));
    },
    plan: () => {
      const given = { hasKeys: keys !== undefined, hasCounter: counter !== undefined };
      return planDrawWarps({ count, words: shape[1], seed, stream, ...given }, fixedRanges("drawWarps", ranges));
    },
  });
  return out;
}

/**
 * Warped blends as a network takes them, f32 [B, C, H, W], of `images` u8 [n, C, H, W]: pixels are blended to the very 8
 * bits of blendPixels, row b of `warps` (of {@link drawWarps}) says where in that image each pixel comes from, bilinear
 * and rounded to 8 bits, black (0) outside, and by what it is multiplied, rounded again and at most 255; then
 * (pixel / 255 − mean) / std. C is at most 4.
 * @throws ShapeError where `images` has not four axes, more than 4 channels or a side above 4096 pixels, the tensors of
 * `blend` are not all [B], `warps` is not [B, 8] or [B, 58], or `mean` or `std` has not one finite number for each
 * channel; DTypeError where `images` is not u8, or a tensor of `blend` or `warps` not u32; InputError where an `std` is
 * not above 0.
 */
export function warpBlends(
  recorder: Recorder,
  images: Tensor<"u8">,
  blend: Blend,
  warps: Tensor<"u32">,
  normalisation: Normalisation,
): Tensor<"f32"> {
  const shape = warpShape(images, blend, warps, normalisation);
  const { first, second, weight } = blend;
  const out = recorder.temporary(shape, "warpBlends");
  recorder.add({
    kernel: "warpBlends",
    reads: [images, first, second, weight, warps],
    writes: [out],
    reference: () => {
      const host = { first: hostArray(first), second: hostArray(second), weight: hostArray(weight) };
      const pixels = warpPixelsReference(hostArray(images), host, hostArray(warps), shape.slice(1));
      normaliseReference(pixels, hostArray(out), shape.slice(1), normalisation);
    },
    plan: () => planWarpBlends(shape, images.shape[0], warps.shape[1], normalisation),
  });
  return out;
}

/**
 * Compositions as a network takes them, f32 [B, C, H, W], of `images` u8 [n, C, H, W]: both images are warped to 8 bits
 * each, as warpBlends does it; within the box the second is seen, elsewhere their blend of 8 bits; then
 * (pixel / 255 − mean) / std. The very pixels of {@link composeOnHost}. C is at most 4.
 * @throws what {@link warpBlends} throws, `warps` being [2B, 8] or [2B, 58], and the same where `box` is not u32 [B, 2].
 */
export function composeImages(
  recorder: Recorder,
  images: Tensor<"u8">,
  composition: Composition,
  normalisation: Normalisation,
): Tensor<"f32"> {
  const shape = compositionShape(images, composition, normalisation);
  const { first, second, weight, box, warps } = composition;
  const out = recorder.temporary(shape, "composeImages");
  recorder.add({
    kernel: "composeImages",
    reads: [images, first, second, weight, box, warps],
    writes: [out],
    reference: () => {
      const host = {
        first: hostArray(first),
        second: hostArray(second),
        weight: hostArray(weight),
        box: hostArray(box),
      };
      const pixels = composeOnHost(hostArray(images), shape.slice(1), host, hostArray(warps));
      normaliseReference(pixels, hostArray(out), shape.slice(1), normalisation);
    },
    plan: () => planComposeImages(shape, images.shape[0], warps.shape[1], normalisation),
  });
  return out;
}
