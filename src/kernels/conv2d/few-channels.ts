import type { Capabilities } from "../../tensor/device.js";
import type { Grid, Program } from "../../tensor/launch.js";
import { expectWorkgroup, fitsWorkgroup, type WorkgroupNeeds } from "../expect.js";
import { evenTile, linearGrid, powerOfTwo } from "../grid.js";
import type { Correlation } from "./correlation.js";
import correlationSource from "./correlation.wgsl?raw";
import fewChannelsSource from "./few-channels.wgsl?raw";

const WORKGROUP = 64;

/** What is compiled into few-channels.wgsl: room for taps by powers of 2 from 64, so that sizes share pipelines. */
function fewChannelsTile({ c, o, kh, kw }: Correlation) {
  return { WORKGROUP, TILE_O: evenTile(o, 8), MOST_TAPS: Math.max(64, powerOfTwo(c * kh * kw)) };
}

/** What few-channels.wgsl needs of a workgroup: its weights in memory. */
function needs(problem: Correlation): WorkgroupNeeds {
  const { TILE_O, MOST_TAPS } = fewChannelsTile(problem);
  return { invocations: WORKGROUP, memory: 4 * TILE_O * MOST_TAPS };
}

/** Whether the device can run few-channels.wgsl on this problem. */
export function fitsFewChannels(problem: Correlation, capabilities: Capabilities): boolean {
  return fitsWorkgroup(needs(problem), capabilities);
}

/**
 * Program and grid of the variant `few-channels`.
 * @throws DeviceError where the device's workgroups cannot hold the weights.
 */
export function planFewChannels(problem: Correlation, capabilities: Capabilities): { program: Program; grid: Grid } {
  expectWorkgroup("conv2d", "few-channels", needs(problem), capabilities, ["direct", "tiled-32x32"]);
  const tile = fewChannelsTile(problem);
  const [x, y] = linearGrid(problem.n * problem.oh * problem.ow, WORKGROUP);
  return {
    program: { name: "conv2d/few-channels", source: [correlationSource, fewChannelsSource], constants: tile },
    grid: [x, y, Math.ceil(problem.o / tile.TILE_O)],
  };
}
