import type { GpuPlan } from "../../tensor/launch.js";
import philoxSource from "../../tensor/philox.wgsl?raw";
import { RandomStream } from "../../tensor/random.js";
import { linearGrid } from "../grid.js";
import addSource from "./add.wgsl?raw";
import dropoutSource from "./dropout.wgsl?raw";
import reluBackwardSource from "./relu-backward.wgsl?raw";
import reluSource from "./relu.wgsl?raw";

/** relu over `size` elements. */
export function planRelu(size: number): GpuPlan {
  return {
    program: { name: "activation/relu", source: [reluSource] },
    params: [size],
    grid: linearGrid(size, 64),
  };
}

/** relu's gradient over `size` elements. */
export function planReluBackward(size: number): GpuPlan {
  return {
    program: { name: "activation/relu-backward", source: [reluBackwardSource] },
    params: [size],
    grid: linearGrid(size, 64),
  };
}

/** add over `size` elements. */
export function planAdd(size: number, relu: boolean): GpuPlan {
  return {
    program: { name: "activation/add", source: [addSource] },
    params: [size, Number(relu)],
    grid: linearGrid(size, 64),
  };
}

/** dropout over `size` elements, four an invocation. */
export function planDropout(size: number, rate: number, scale: number, seed: number, salt: number): GpuPlan {
  return {
    program: { name: "activation/dropout", source: [philoxSource, dropoutSource] },
    params: [size, seed, RandomStream.dropout, salt, { f32: rate }, { f32: scale }],
    grid: linearGrid(Math.ceil(size / 4), 64),
  };
}
