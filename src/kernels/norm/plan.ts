import type { Capabilities } from "../../tensor/device.js";
import type { GpuPlan } from "../../tensor/launch.js";
import divisionSource from "../division.wgsl?raw";
import { linearGrid } from "../grid.js";
import nanSource from "../nan.wgsl?raw";
import { elementWidth, planElements } from "../run.js";
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
    program: { name: "norm/moments", source: [nanSource, channelsSource, momentsSource] },
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
    program: { name: "norm/statistics", source: [nanSource, statisticsSource] },
    params: [channels, chunks, samples * positions, { f32: momentum }, { f32: epsilon }],
    grid: linearGrid(channels, 64),
  };
}

/** The normalised elements, from inverse deviations or, with `epsilon`, from variances. */
export function planNormalise(
  { samples, channels, positions }: ChannelSizes,
  { fromVariance, relu, epsilon }: { fromVariance: boolean; relu: boolean; epsilon: number },
  capabilities: Capabilities,
): GpuPlan {
  const width = elementWidth(positions);
  const program = { name: "norm/normalise", source: [divisionSource, normaliseSource] };
  const params = [channels, positions / width, Number(fromVariance), Number(relu), { f32: epsilon }];
  return planElements(program, samples * channels * positions, width, params, capabilities);
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
export function planInputGradient({ samples, channels, positions }: ChannelSizes, capabilities: Capabilities): GpuPlan {
  const width = elementWidth(positions);
  const program = { name: "norm/input-gradient", source: [divisionSource, inputGradientSource] };
  const params = [channels, positions / width, { f32: 1 / (samples * positions) }];
  return planElements(program, samples * channels * positions, width, params, capabilities);
}
