import type { Capabilities } from "../../tensor/device.js";
import type { FloatParam, GpuPlan } from "../../tensor/launch.js";
import philox from "../../tensor/philox.wgsl?raw";
import { RandomStream } from "../../tensor/random.js";
import divisionSource from "../division.wgsl?raw";
import { evenTile, linearGrid } from "../grid.js";
import nanSource from "../nan.wgsl?raw";
import { planRuns } from "../run.js";
import blendSource from "./blend.wgsl?raw";
import blendFeaturesSource from "./blend-features.wgsl?raw";
import blendImagesSource from "./blend-images.wgsl?raw";
import blendPixelsSource from "./blend-pixels.wgsl?raw";
import candidateBlendsSource from "./candidate-blends.wgsl?raw";
import type { BlendImagesOptions, CandidateOptions, FeatureSizes } from "./contract.js";
import drawLambdaSource from "./draw-lambda.wgsl?raw";
import pixelSource from "./pixel.wgsl?raw";
import writeFoursSource from "./write-fours.wgsl?raw";
import writeNumbersSource from "./write-numbers.wgsl?raw";

const WORKGROUP = 64;

/** Program and grid of blendPixels: `batch` images of `size` pixels each, out of a set of `images`. */
export function planBlendPixels(batch: number, size: number, images: number): GpuPlan {
  const pixels = batch * size;
  return {
    program: {
      name: "mixup/blend-pixels",
      source: [pixelSource, blendPixelsSource],
      constants: { WORKGROUP },
    },
    params: [pixels, size, images - 1],
    grid: linearGrid(Math.ceil(pixels / 4), WORKGROUP),
  };
}

/**
 * Params `scale: vec4f, offset: vec4f` that take an 8-bit pixel of a channel to (pixel / 255 − mean) / std; 0 past the
 * last of at most four channels.
 */
export function normalisationParams(
  channels: number,
  mean: readonly number[],
  std: readonly number[],
): readonly FloatParam[] {
  const four = (value: (channel: number) => number) =>
    Array.from({ length: 4 }, (_, channel) => ({ f32: channel < channels ? value(channel) : 0 }));
  return [...four((channel) => 1 / (255 * std[channel])), ...four((channel) => -mean[channel] / std[channel])];
}

/** Times four pixels that one invocation of blendImages makes. */
const PER_INVOCATION = 4;

/** Program and grid of blendImages: `batch` images of `shape` C H W, out of a set of `images`. */
export function planBlendImages(
  batch: number,
  [channels, height, width]: readonly number[],
  images: number,
  { mean, std, augment }: BlendImagesOptions,
): GpuPlan {
  const rows = channels * height;
  const groupsPerImage = Math.ceil((rows * Math.ceil(width / 4)) / (WORKGROUP * PER_INVOCATION));
  return {
    program: {
      name: "mixup/blend-images",
      source: [
        divisionSource,
        philox,
        pixelSource,
        width % 4 === 0 ? writeFoursSource : writeNumbersSource,
        blendImagesSource,
      ],
      constants: { WORKGROUP, PER_INVOCATION, AUGMENT_STREAM: RandomStream.augment, OUT_BINDING: 6 },
    },
    params: [
      ...normalisationParams(channels, mean, std),
      ...[groupsPerImage, batch, images - 1, rows * width, rows, height, width],
      ...[Number(augment !== undefined), augment?.crop ?? 0, Number(augment?.flip ?? false), augment?.seed ?? 0],
    ],
    grid: linearGrid(batch * groupsPerImage, 1),
  };
}

/**
 * Elements that one invocation of blend makes. In vectors of four, a copy reaches twice the bytes a second (lavapipe,
 * 2 cores, 2026-11).
 */
const RUN = 16;

/** Program and grid of blend: `rows` rows of `rowSize` elements, whose weights begin at `firstRow`. */
export function planBlend(rows: number, rowSize: number, firstRow: number): GpuPlan {
  const [element, elements] = rowSize % 4 === 0 ? ["vec4f", rowSize / 4] : ["f32", rowSize];
  const groupsPerRow = Math.ceil(elements / (WORKGROUP * RUN));
  return {
    program: {
      name: "mixup/blend",
      source: [`alias Element = ${element};`, blendSource],
      constants: { WORKGROUP, RUN },
    },
    params: [rows, elements, groupsPerRow, firstRow],
    grid: linearGrid(rows * groupsPerRow, 1),
  };
}

/** Program and grid of candidateBlends, `count` blends a batch. */
export function planCandidateBlends(
  { images, pool, pairs, lambdas, batch, single }: CandidateOptions,
  count: number,
): GpuPlan {
  return {
    program: {
      name: "mixup/candidate-blends",
      source: [philox, drawLambdaSource, candidateBlendsSource],
      constants: { WORKGROUP, LAMBDA_STREAM: RandomStream.lambda },
    },
    params: [
      images,
      pool,
      batch,
      lambdas.size,
      Number(pairs !== undefined),
      Number(single !== undefined),
      single?.seed ?? 0,
    ],
    grid: linearGrid(count, WORKGROUP),
  };
}

/**
 * Most outputs side by side that one invocation of blendFeatures makes on a software driver: finding out which output an
 * element is takes as long as the rest (lavapipe, 2 cores, 2026-11). On hardware neighbours write side by side instead.
 */
const SOFTWARE_STRIP = 4;

/** Program and grid of blendFeatures. */
export function planBlendFeatures(
  sizes: FeatureSizes,
  flags: { hasBias: boolean; relu: boolean },
  capabilities: Capabilities,
): GpuPlan {
  const { images, pairs, perPair, channels, height, width, outHeight, outWidth, kernel, stride } = sizes;
  const strip = capabilities.software ? evenTile(outWidth, SOFTWARE_STRIP) : 1;
  const program = {
    name: "mixup/blend-features",
    source: [divisionSource, nanSource, blendFeaturesSource],
    constants: { SIDE: kernel, STRIP: strip },
  };
  const { hasBias, relu } = flags;
  const params = [perPair, images - 1, channels, height, width, outHeight, outWidth, stride, hasBias, relu];
  return planRuns(
    program,
    pairs * channels * outHeight * Math.ceil(outWidth / strip),
    params.map(Number),
    capabilities,
  );
}
