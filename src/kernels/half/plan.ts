import type { Capabilities } from "../../tensor/device.js";
import type { GpuPlan } from "../../tensor/launch.js";
import { planRuns } from "../run.js";
import toFloatSource from "./to-float.wgsl?raw";
import toHalfSource from "./to-half.wgsl?raw";

/** toHalf over `size` elements, two a word. */
export function planToHalf(size: number, capabilities: Capabilities): GpuPlan {
  return planRuns({ name: "half/to-half", source: [toHalfSource] }, Math.ceil(size / 2), [size], capabilities);
}

/** toFloat over `size` elements. */
export function planToFloat(size: number, capabilities: Capabilities): GpuPlan {
  return planRuns({ name: "half/to-float", source: [toFloatSource] }, size, [], capabilities);
}
