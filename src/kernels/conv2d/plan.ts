import { DeviceError } from "../../errors.js";
import type { Capabilities } from "../../tensor/device.js";
import type { GpuPlan } from "../../tensor/launch.js";
import { expectSubgroups } from "../expect.js";
import { planTiled } from "../gemm/plan.js";
import { splitSum, type Split } from "../gemm/split.js";
import { isTiled } from "../gemm/tile.js";
import { evenTile, linearGrid } from "../grid.js";
import { LANES, type Conv2dVariant } from "./choice.js";
import { weightGradientExtent, type Conv2dSizes } from "./contract.js";
import correlationSource from "./correlation.wgsl?raw";
import { correlationExtent, correlationParams, type Correlation } from "./correlation.js";
import directSource from "./direct.wgsl?raw";
import { planFewChannels } from "./few-channels.js";
import operandsSource from "./operands.wgsl?raw";
import pointwiseSource from "./pointwise.wgsl?raw";
import subgroupSource from "./subgroup.wgsl?raw";
import tiledSource from "./tiled.wgsl?raw";
import weightGradientDirectSource from "./weight-gradient-direct.wgsl?raw";
import weightGradientSubgroupSource from "./weight-gradient-subgroup.wgsl?raw";
import weightGradientTiledSource from "./weight-gradient-tiled.wgsl?raw";
import weightGradientSource from "./weight-gradient.wgsl?raw";

const WORKGROUP = 64;

/** In how many parts a variant of the forward pass or of the input's gradient sums: more than one only by tiles. */
export function correlationSplit(variant: Conv2dVariant, problem: Correlation): Split {
  const extent = correlationExtent(problem);
  return isTiled(variant) ? splitSum(variant, extent) : { parts: 1, partDepth: extent.depth };
}

/**
 * Program and grid of one variant of the forward pass or of the input's gradient. Where it sums in several parts (see
 * {@link correlationSplit}), bias and ReLU are left to those who add them up.
 * @throws DeviceError where the device has not what the variant needs: subgroups of 8, or workgroup memory.
 */
export function planCorrelation(variant: Conv2dVariant, problem: Correlation, capabilities: Capabilities): GpuPlan {
  const { n, o, oh, ow, kh, kw, step, dilation, paddingY, paddingX } = problem;
  const { parts, partDepth } = correlationSplit(variant, problem);
  const params = correlationParams(parts === 1 ? problem : { ...problem, hasBias: false, relu: false }, partDepth);
  if (isTiled(variant)) {
    const pointwise = kh * kw * step * dilation === 1 && paddingY === 0 && paddingX === 0;
    const operands = {
      kernel: pointwise ? "conv2d/pointwise" : "conv2d",
      source: [correlationSource, operandsSource, pointwise ? pointwiseSource : tiledSource],
      params,
      others: ["direct"],
    };
    return planTiled(variant, correlationExtent(problem), operands, capabilities);
  }
  if (variant === "few-channels") return { ...planFewChannels(problem, capabilities), params };
  if (variant === "subgroup") {
    expectSubgroups("conv2d", capabilities, LANES, ["direct", "tiled-64x64"]);
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
function imagesPerPart(variant: "direct" | "subgroup", { n, o, c, kh, kw }: Conv2dSizes): number {
  const elements = o * c * kh * kw;
  const parts = {
    direct: 65536 / elements,
    subgroup: 64 / (Math.ceil(o / LANES) * Math.ceil((c * kh) / LANES)),
  };
  const fewest = variant === "subgroup" ? 4 : 1;
  return Math.min(n, Math.max(fewest, Math.ceil(n / Math.ceil(parts[variant]))));
}

/**
 * In how many parts a variant sums over output pixels: by tiles in parts of any length, otherwise of whole images.
 * @throws DeviceError where the variant is none of the weights' gradient.
 */
export function weightGradientSplit(variant: Conv2dVariant, sizes: Conv2dSizes): Split {
  if (isTiled(variant)) return splitSum(variant, weightGradientExtent(sizes));
  if (variant === "few-channels") {
    throw new DeviceError(
      `conv2dWeightGradient: variant "few-channels" makes only results and gradients of inputs: ` +
        `use "direct" or "tiled-32x32"`,
    );
  }
  const images = imagesPerPart(variant, sizes);
  return { parts: Math.ceil(sizes.n / images), partDepth: images * sizes.oh * sizes.ow };
}

/**
 * Program and grid of one variant of the weights' gradient, in parts as {@link weightGradientSplit} says.
 * @throws DeviceError where the device has not what the variant needs: subgroups of 8, or workgroup memory.
 */
export function planWeightGradient(variant: Conv2dVariant, sizes: Conv2dSizes, capabilities: Capabilities): GpuPlan {
  const { n, c, h, w, o, oh, ow, kh, kw, stride, padding } = sizes;
  const { parts, partDepth } = weightGradientSplit(variant, sizes);
  const images = Math.floor(partDepth / (oh * ow));
  const params = [n, c, h, w, o, oh, ow, kh, kw, stride, padding, images, partDepth];
  if (isTiled(variant)) {
    const operands = {
      kernel: "conv2dWeightGradient",
      source: [weightGradientSource, weightGradientTiledSource],
      params,
      others: ["direct"],
    };
    return planTiled(variant, weightGradientExtent(sizes), operands, capabilities);
  }
  if (variant === "subgroup") {
    expectSubgroups("conv2d", capabilities, LANES, ["direct", "tiled-64x64"]);
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
