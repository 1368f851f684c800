import type { Capabilities } from "../../tensor/device.js";
import type { GpuPlan } from "../../tensor/launch.js";
import philoxSource from "../../tensor/philox.wgsl?raw";
import { RandomStream } from "../../tensor/random.js";
import { elementWidth, planElements, planRuns } from "../run.js";
import addSource from "./add.wgsl?raw";
import dropoutSource from "./dropout.wgsl?raw";
import reluBackwardSource from "./relu-backward.wgsl?raw";
import reluSource from "./relu.wgsl?raw";

/** relu over `size` elements. */
export function planRelu(size: number, capabilities: Capabilities): GpuPlan {
  return planElements({ name: "activation/relu", source: [reluSource] }, size, elementWidth(size), [], capabilities);
}

/** relu's gradient over `size` elements. */
export function planReluBackward(size: number, capabilities: Capabilities): GpuPlan {
  const program = { name: "activation/relu-backward", source: [reluBackwardSource] };
  return planElements(program, size, elementWidth(size), [], capabilities);
}

/** add over `size` elements. */
export function planAdd(size: number, relu: boolean, capabilities: Capabilities): GpuPlan {
  const program = { name: "activation/add", source: [addSource] };
  return planElements(program, size, elementWidth(size), [Number(relu)], capabilities);
}

/** dropout over `size` elements, four a random block. */
export function planDropout(
  size: number,
  { rate, scale, seed, salt }: { rate: number; scale: number; seed: number; salt: number },
  capabilities: Capabilities,
): GpuPlan {
  const params = [size, seed, RandomStream.dropout, salt, { f32: rate }, { f32: scale }];
  const program = { name: "activation/dropout", source: [philoxSource, dropoutSource] };
  return planRuns(program, Math.ceil(size / 4), params, capabilities);
}
