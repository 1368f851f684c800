import type { GpuPlan } from "../../tensor/launch.js";
import divisionSource from "../division.wgsl?raw";
import { linearGrid } from "../grid.js";
import { planRuns } from "../run.js";
import { channelParams, type ChannelSizes } from "../reduce/channels.js";
import channelsSource from "../reduce/channels.wgsl?raw";
import inputGradientSource from "./input-gradient.wgsl?raw";
import momentsSource from "./moments.wgsl?raw";
import normaliseSource from "./normalise.wgsl?raw";
import parameterGradientSource from "./parameter-gradient.wgsl?raw";
import statisticsSource from "./statistics.wgsl?raw";

/** Mean and sum of squares of each chunk of each channel. */
export function planMoments(sizes: ChannelSizes, chunks: number): GpuPlan {
  return {
    program: { name: "norm/moments", source: [channelsSource, momentsSource] },
    params: channelParams(sizes, chunks),
    grid: linearGrid(sizes.channels * chunks, 64),
  };
}

/** Statistics of each channel from its chunks. */
export function planStatistics(
  { samples, channels, positions }: ChannelSizes,
  chunks: number,
  momentum: number,
  epsilon: number,
): GpuPlan {
  return {
    program: { name: "norm/statistics", source: [statisticsSource] },
    params: [channels, chunks, samples * positions, { f32: momentum }, { f32: epsilon }],
    grid: linearGrid(channels, 64),
  };
}

/** The normalised elements, from inverse deviations or, with `epsilon`, from variances. */
export function planNormalise(
  { samples, channels, positions }: ChannelSizes,
  { fromVariance, relu, epsilon }: { fromVariance: boolean; relu: boolean; epsilon: number },
): GpuPlan {
  const size = samples * channels * positions;
  const { constants, grid } = planRuns(size);
  return {
    program: { name: "norm/normalise", source: [divisionSource, normaliseSource], constants },
    params: [size, channels, positions, Number(fromVariance), Number(relu), { f32: epsilon }],
    grid,
  };
}

/** The gradients by gamma and beta of each chunk of each channel. */
export function planParameterGradient(sizes: ChannelSizes, chunks: number): GpuPlan {
  return {
    program: { name: "norm/parameter-gradient", source: [channelsSource, parameterGradientSource] },
    params: channelParams(sizes, chunks),
    grid: linearGrid(sizes.channels * chunks, 64),
  };
}

/** The gradient by each element of x. */
export function planInputGradient({ samples, channels, positions }: ChannelSizes): GpuPlan {
  const size = samples * channels * positions;
  const { constants, grid } = planRuns(size);
  return {
    program: { name: "norm/input-gradient", source: [divisionSource, inputGradientSource], constants },
    params: [size, channels, positions, { f32: 1 / (samples * positions) }],
    grid,
  };
}
