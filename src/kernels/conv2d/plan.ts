import type { GpuPlan } from "../../tensor/launch.js";
import { linearGrid } from "../grid.js";
import type { Conv2dSizes } from "./contract.js";
import directSource from "./direct.wgsl?raw";
import inputGradientDirectSource from "./input-gradient-direct.wgsl?raw";
import sizesSource from "./sizes.wgsl?raw";
import sumPartsSource from "./sum-parts.wgsl?raw";
import weightGradientDirectSource from "./weight-gradient-direct.wgsl?raw";

export type Conv2dVariant = "direct";
export type Conv2dInputGradientVariant = "direct";
export type Conv2dWeightGradientVariant = "direct";

const WORKGROUP = 64;

/** Members of `Params` in sizes.wgsl. */
function params(sizes: Conv2dSizes, { hasBias = false, relu = false, imagesPerPart = 0 } = {}): number[] {
  const { n, c, h, w, o, kh, kw, oh, ow, stride, padding } = sizes;
  return [n, c, h, w, o, kh, kw, oh, ow, stride, padding, Number(hasBias), Number(relu), imagesPerPart];
}

function direct(name: string, source: string, members: number[], count: number): GpuPlan {
  return {
    program: { name, source: [sizesSource, source], constants: { WORKGROUP } },
    params: members,
    grid: linearGrid(count, WORKGROUP),
  };
}

/** The forward variant for a device and sizes. */
export function chooseConv2d(): Conv2dVariant {
  return "direct";
}

/** Program and grid of one forward variant. */
export function planConv2d(
  variant: Conv2dVariant,
  sizes: Conv2dSizes,
  flags: { hasBias: boolean; relu: boolean },
): GpuPlan {
  return direct("conv2d/direct", directSource, params(sizes, flags), sizes.n * sizes.o * sizes.oh * sizes.ow);
}

/** The variant of the input's gradient for a device and sizes. */
export function chooseInputGradient(): Conv2dInputGradientVariant {
  return "direct";
}

/** Program and grid of one variant of the input's gradient. */
export function planInputGradient(variant: Conv2dInputGradientVariant, sizes: Conv2dSizes): GpuPlan {
  const count = sizes.n * sizes.c * sizes.h * sizes.w;
  return direct("conv2dInputGradient/direct", inputGradientDirectSource, params(sizes), count);
}

/** The variant of the weights' gradient for a device and sizes. */
export function chooseWeightGradient(): Conv2dWeightGradientVariant {
  return "direct";
}

/** How many images one partial sum of the weights' gradient covers: so few that the whole device has work. */
export function imagesPerPart(variant: Conv2dWeightGradientVariant, { n, o, c, kh, kw }: Conv2dSizes): number {
  const parts = Math.min(n, Math.ceil(65536 / (o * c * kh * kw)));
  return Math.ceil(n / parts);
}

/** Program and grid of one variant of the weights' gradient, in partial sums over `images` images each. */
export function planWeightGradient(variant: Conv2dWeightGradientVariant, sizes: Conv2dSizes, images: number): GpuPlan {
  const count = Math.ceil(sizes.n / images) * sizes.o * sizes.c * sizes.kh * sizes.kw;
  const members = params(sizes, { imagesPerPart: images });
  return direct("conv2dWeightGradient/direct", weightGradientDirectSource, members, count);
}

/** Program and grid that add `parts` partial sums of `size` elements each. */
export function planSumParts(size: number, parts: number): GpuPlan {
  return {
    program: { name: "conv2dWeightGradient/sum", source: [sumPartsSource], constants: { WORKGROUP } },
    params: [size, parts],
    grid: linearGrid(size, WORKGROUP),
  };
}
