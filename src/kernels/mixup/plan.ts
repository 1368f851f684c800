import type { GpuPlan } from "../../tensor/launch.js";
import philox from "../../tensor/philox.wgsl?raw";
import { RandomStream } from "../../tensor/random.js";
import { linearGrid } from "../grid.js";
import divisionSource from "../division.wgsl?raw";
import blendSource from "./blend.wgsl?raw";
import blendImagesSource from "./blend-images.wgsl?raw";
import blendPixelsSource from "./blend-pixels.wgsl?raw";
import candidateBlendsSource from "./candidate-blends.wgsl?raw";
import type { BlendImagesOptions, CandidateOptions } from "./contract.js";
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
  const four = (value: (channel: number) => number) =>
    Array.from({ length: 4 }, (_, channel) => ({ f32: channel < channels ? value(channel) : 0 }));
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
      constants: { WORKGROUP, PER_INVOCATION, AUGMENT_STREAM: RandomStream.augment },
    },
    params: [
      ...four((channel) => 1 / (255 * std[channel])),
      ...four((channel) => -mean[channel] / std[channel]),
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
