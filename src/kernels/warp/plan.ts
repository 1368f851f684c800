import type { GpuPlan } from "../../tensor/launch.js";
import philox from "../../tensor/philox.wgsl?raw";
import type { Shape } from "../../tensor/shape.js";
import divisionSource from "../division.wgsl?raw";
import { linearGrid } from "../grid.js";
import pixelSource from "../mixup/pixel.wgsl?raw";
import { normalisationParams } from "../mixup/plan.js";
import writeFoursSource from "../mixup/write-fours.wgsl?raw";
import writeNumbersSource from "../mixup/write-numbers.wgsl?raw";
import composeImagesSource from "./compose-images.wgsl?raw";
import { AFFINE_WORDS, GRID_SIDE, gridStep, type FixedRanges, type Normalisation } from "./contract.js";
import drawWarpsSource from "./draw-warps.wgsl?raw";
import sampleSource from "./sample.wgsl?raw";
import warpBlendsSource from "./warp-blends.wgsl?raw";

const WORKGROUP = 64;

/** What drawWarps is given, but for tensors. */
export interface WarpDraw {
  readonly count: number;
  readonly words: number;
  readonly seed: number;
  readonly stream: number;
  readonly hasKeys: boolean;
  readonly hasCounter: boolean;
}

/** Program and grid of drawWarps. Its bindings are keys and counter, as far as there are such, and the warps. */
export function planDrawWarps(
  { count, words, seed, stream, hasKeys, hasCounter }: WarpDraw,
  ranges: FixedRanges,
): GpuPlan {
  let binding = 1;
  const declare = (access: string, name: string) =>
    `@group(0) @binding(${binding++}) var<storage, ${access}> ${name}: array<u32>;`;
  const given = [
    hasKeys
      ? `${declare("read", "keys")}\nfn key_of(b: u32) -> u32 { return keys[b]; }`
      : "fn key_of(b: u32) -> u32 { return b; }",
    hasCounter
      ? `${declare("read", "counter")}\nfn step() -> u32 { return counter[0]; }`
      : "fn step() -> u32 { return 0u; }",
    declare("read_write", "out"),
  ];
  const { share, rotation, scale, shear, shift, elastic, brightness, flip } = ranges;
  return {
    program: {
      name: "warp/draw-warps",
      source: [philox, ...given, drawWarpsSource],
      constants: { WORKGROUP, AFFINE_WORDS, NODES: GRID_SIDE * GRID_SIDE },
    },
    params: [count, words, seed, stream, share, rotation, scale, shear, shift, elastic, brightness, flip],
    grid: linearGrid(count, WORKGROUP),
  };
}

/**
 * Most times four pixels of a row that one invocation makes: what the warp says of a row takes up to 27 loads, four
 * pixels 16 a channel.
 */
const PER_INVOCATION = 4;

/** Program and grid of warpBlends and composeImages, of `images` images, by warps of `words` words. */
function planImages(
  name: string,
  source: string,
  reads: number,
  [batch, channels, height, width]: Shape,
  images: number,
  words: number,
  { mean, std }: Normalisation,
): GpuPlan {
  const strips = Math.ceil(Math.ceil(width / 4) / PER_INVOCATION);
  const groupsPerImage = Math.ceil((height * strips) / WORKGROUP);
  return {
    program: {
      name,
      source: [
        divisionSource,
        pixelSource,
        sampleSource,
        width % 4 === 0 ? writeFoursSource : writeNumbersSource,
        source,
      ],
      constants: { WORKGROUP, AFFINE_WORDS, GRID_SIDE, OUT_BINDING: 1 + reads },
    },
    params: [
      ...normalisationParams(channels, mean, std),
      ...[groupsPerImage, batch, images - 1, channels, height, width, strips],
      ...[words, gridStep(height), gridStep(width)],
    ],
    grid: linearGrid(batch * groupsPerImage, 1),
  };
}

/** Program and grid of warpBlends: see {@link planImages}. */
export function planWarpBlends(shape: Shape, images: number, words: number, normalisation: Normalisation): GpuPlan {
  return planImages("warp/warp-blends", warpBlendsSource, 5, shape, images, words, normalisation);
}

/** Program and grid of composeImages: see {@link planImages}. */
export function planComposeImages(shape: Shape, images: number, words: number, normalisation: Normalisation): GpuPlan {
  return planImages("warp/compose-images", composeImagesSource, 6, shape, images, words, normalisation);
}
