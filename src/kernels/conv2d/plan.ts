import type { Capabilities } from "../../tensor/device.js";
import type { GpuPlan } from "../../tensor/launch.js";
import { linearGrid } from "../grid.js";
import type { Conv2dSizes } from "./contract.js";
import correlationSource from "./correlation.wgsl?raw";
import { correlationParams, type Correlation } from "./correlation.js";
import directSource from "./direct.wgsl?raw";
import sumPartsSource from "./sum-parts.wgsl?raw";
import tiledSource from "./tiled.wgsl?raw";
import weightGradientDirectSource from "./weight-gradient-direct.wgsl?raw";
import weightGradientTiledSource from "./weight-gradient-tiled.wgsl?raw";
import weightGradientSource from "./weight-gradient.wgsl?raw";

/** `direct`: one output an invocation. `tiled`: matrix product through workgroup memory. */
export type Conv2dVariant = "direct" | "tiled";

const WORKGROUP = 64;
/** Rows and columns of the `tiled` kernels' tiles. */
const TILE = 64;
/** Multiply-adds below which tiles are not worth it. */
const SMALL = 1 << 20;

/** The variant of the forward pass or of the input's gradient. */
export function chooseCorrelation(capabilities: Capabilities, problem: Correlation): Conv2dVariant {
  const { n, c, o, oh, ow, kh, kw } = problem;
  if (capabilities.software) return "direct";
  return n * oh * ow * o * c * kh * kw >= SMALL ? "tiled" : "direct";
}

/** Program and grid of one variant of the forward pass or of the input's gradient. */
export function planCorrelation(variant: Conv2dVariant, problem: Correlation): GpuPlan {
  const { n, o, oh, ow } = problem;
  const params = correlationParams(problem);
  if (variant === "tiled") {
    const [x, y] = linearGrid(n * oh * ow, TILE);
    return {
      program: { name: "conv2d/tiled", source: [correlationSource, tiledSource] },
      params,
      grid: [x, y, Math.ceil(o / TILE)],
    };
  }
  return {
    program: { name: "conv2d/direct", source: [correlationSource, directSource], constants: { WORKGROUP } },
    params,
    grid: linearGrid(n * o * oh * ow, WORKGROUP),
  };
}

/** The variant of the weights' gradient. */
export function chooseWeightGradient(capabilities: Capabilities, sizes: Conv2dSizes): Conv2dVariant {
  const { n, c, o, oh, ow, kh, kw } = sizes;
  if (capabilities.software) return "direct";
  return n * oh * ow * o * c * kh * kw >= SMALL ? "tiled" : "direct";
}

/** How many images one partial sum of the weights' gradient covers: so few that the whole device has work. */
export function imagesPerPart(variant: Conv2dVariant, { n, o, c, kh, kw }: Conv2dSizes): number {
  const taps = c * kh * kw;
  const parts = variant === "tiled" ? 512 / (Math.ceil(o / TILE) * Math.ceil(taps / TILE)) : 65536 / (o * taps);
  return Math.ceil(n / Math.min(n, Math.ceil(parts)));
}

/** Program and grid of one variant of the weights' gradient, in partial sums over `images` images each. */
export function planWeightGradient(variant: Conv2dVariant, sizes: Conv2dSizes, images: number): GpuPlan {
  const { n, c, h, w, o, oh, ow, kh, kw, stride, padding } = sizes;
  const params = [n, c, h, w, o, oh, ow, kh, kw, stride, padding, images];
  const parts = Math.ceil(n / images);
  if (variant === "tiled") {
    return {
      program: { name: "conv2dWeightGradient/tiled", source: [weightGradientSource, weightGradientTiledSource] },
      params,
      grid: [Math.ceil((c * kh * kw) / TILE), Math.ceil(o / TILE), parts],
    };
  }
  return {
    program: {
      name: "conv2dWeightGradient/direct",
      source: [weightGradientSource, weightGradientDirectSource],
      constants: { WORKGROUP },
    },
    params,
    grid: linearGrid(parts * o * c * kh * kw, WORKGROUP),
  };
}

/** Program and grid that add `parts` partial sums of `size` elements each. */
export function planSumParts(size: number, parts: number): GpuPlan {
  return {
    program: { name: "conv2dWeightGradient/sum", source: [sumPartsSource], constants: { WORKGROUP } },
    params: [size, parts],
    grid: linearGrid(size, WORKGROUP),
  };
}
