import type { Capabilities } from "../../tensor/device.js";
import type { GpuPlan } from "../../tensor/launch.js";
import { expectSubgroups } from "../expect.js";
import { evenTile, linearGrid } from "../grid.js";
import { LANES, type Conv2dVariant } from "./choice.js";
import type { Conv2dSizes } from "./contract.js";
import correlationSource from "./correlation.wgsl?raw";
import { correlationParams, type Correlation } from "./correlation.js";
import directSource from "./direct.wgsl?raw";
import subgroupSource from "./subgroup.wgsl?raw";
import tiledSource from "./tiled.wgsl?raw";
import weightGradientDirectSource from "./weight-gradient-direct.wgsl?raw";
import weightGradientSubgroupSource from "./weight-gradient-subgroup.wgsl?raw";
import weightGradientTiledSource from "./weight-gradient-tiled.wgsl?raw";
import weightGradientSource from "./weight-gradient.wgsl?raw";

const WORKGROUP = 64;
/** Rows and columns of the `tiled` kernels' tiles. */
const TILE = 64;
/**
 * Program and grid of one variant of the forward pass or of the input's gradient.
 * @throws DeviceError where the variant is `subgroup` and the device has not subgroups of 8.
 */
export function planCorrelation(variant: Conv2dVariant, problem: Correlation, capabilities: Capabilities): GpuPlan {
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
  if (variant === "subgroup") {
    expectSubgroups("conv2d", capabilities, LANES, ["direct", "tiled"]);
    const { kh, kw, step, dilation } = problem;
    const tile = { TILE_O: evenTile(o, LANES), TILE_X: evenTile(ow, 8) };
    const [x, y] = linearGrid(n * oh * Math.ceil(ow / tile.TILE_X), LANES);
    return {
      program: {
        name: "conv2d/subgroup",
        enables: ["subgroups"],
        source: [correlationSource, subgroupSource],
        constants: { ...tile, KH: kh, KW: kw, STEP: step, DILATED: dilation > 1 },
      },
      params,
      grid: [x, y, Math.ceil(o / tile.TILE_O)],
    };
  }
  return {
    program: { name: "conv2d/direct", source: [correlationSource, directSource], constants: { WORKGROUP } },
    params,
    grid: linearGrid(n * o * oh * ow, WORKGROUP),
  };
}

/** How many images one partial sum of the weights' gradient covers: so few that the whole device has work. */
export function imagesPerPart(variant: Conv2dVariant, { n, o, c, kh, kw }: Conv2dSizes): number {
  const elements = o * c * kh * kw;
  const parts = {
    direct: 65536 / elements,
    tiled: 512 / (Math.ceil(o / TILE) * Math.ceil((c * kh * kw) / TILE)),
    subgroup: 64 / (Math.ceil(o / LANES) * Math.ceil((c * kh) / LANES)),
  };
  const fewest = variant === "subgroup" ? 4 : 1;
  return Math.min(n, Math.max(fewest, Math.ceil(n / Math.ceil(parts[variant]))));
}

/**
 * Program and grid of one variant of the weights' gradient, in partial sums over `images` images each.
 * @throws DeviceError where the variant is `subgroup` and the device has not subgroups of 8.
 */
export function planWeightGradient(
  variant: Conv2dVariant,
  sizes: Conv2dSizes,
  images: number,
  capabilities: Capabilities,
): GpuPlan {
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
  if (variant === "subgroup") {
    expectSubgroups("conv2d", capabilities, LANES, ["direct", "tiled"]);
    const tile = { TILE_O: evenTile(o, LANES), TILE_X: evenTile(ow, 6) };
    return {
      program: {
        name: "conv2dWeightGradient/subgroup",
        enables: ["subgroups"],
        source: [weightGradientSource, weightGradientSubgroupSource],
        constants: { ...tile, KW: kw, STEP: stride },
      },
      params,
      grid: [Math.ceil((c * kh) / LANES), Math.ceil(o / tile.TILE_O), parts],
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
