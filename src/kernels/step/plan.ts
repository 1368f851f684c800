import type { GpuPlan } from "../../tensor/launch.js";
import advanceSource from "./advance.wgsl?raw";

/** Program of {@link advance}. */
export function planAdvance(): GpuPlan {
  return { program: { name: "step/advance", source: [advanceSource] }, params: [], grid: [1, 1, 1] };
}
