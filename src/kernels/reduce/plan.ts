import type { GpuPlan } from "../../tensor/launch.js";
import { linearGrid } from "../grid.js";
import nanSource from "../nan.wgsl?raw";
import { channelParams, type ChannelSizes } from "./channels.js";
import channelsSource from "./channels.wgsl?raw";
import reduceSource from "./reduce.wgsl?raw";

/** What a channel's numbers come to. */
export type Reduction = "sum" | "max";

/** One pass: each channel of `sizes` becomes `chunks` numbers. */
export function planReduce(reduction: Reduction, sizes: ChannelSizes, chunks: number): GpuPlan {
  return {
    program: { name: `reduce/${reduction}`, source: [nanSource, channelsSource, reduceSource] },
    params: [...channelParams(sizes, chunks), Number(reduction === "max")],
    grid: linearGrid(sizes.channels * chunks, 64),
  };
}
