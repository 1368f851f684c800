import type { GpuPlan } from "../../tensor/launch.js";
import philoxSource from "../../tensor/philox.wgsl?raw";
import { RandomStream } from "../../tensor/random.js";
import { planRuns } from "../run.js";
import addSource from "./add.wgsl?raw";
import dropoutSource from "./dropout.wgsl?raw";
import reluBackwardSource from "./relu-backward.wgsl?raw";
import reluSource from "./relu.wgsl?raw";

/** relu over `size` elements. */
export function planRelu(size: number): GpuPlan {
  return planRuns({ name: "activation/relu", source: [reluSource] }, size);
}

/** relu's gradient over `size` elements. */
export function planReluBackward(size: number): GpuPlan {
  return planRuns({ name: "activation/relu-backward", source: [reluBackwardSource] }, size);
}

/** add over `size` elements. */
export function planAdd(size: number, relu: boolean): GpuPlan {
  return planRuns({ name: "activation/add", source: [addSource] }, size, [Number(relu)]);
}

/** dropout over `size` elements, four a random block. */
export function planDropout(size: number, rate: number, scale: number, seed: number, salt: number): GpuPlan {
  const params = [size, seed, RandomStream.dropout, salt, { f32: rate }, { f32: scale }];
  return planRuns({ name: "activation/dropout", source: [philoxSource, dropoutSource] }, Math.ceil(size / 4), params);
}
