import type { GpuPlan, Program } from "../tensor/launch.js";
import { linearGrid } from "./grid.js";
import runSource from "./run.wgsl?raw";

/**
 * Elements that one invocation of an elementwise kernel writes, 64 apart so that neighbours stay side by side: relu of
 * 1.6 million elements takes 33 ms with one and 4 to 7 ms with 4 to 16 (lavapipe, 2 cores, 2026-11).
 */
const RUN = 8;

/**
 * An elementwise kernel over `size` elements: run.wgsl is its entry point, and `program.source` declares what that
 * calls. Params are `size` and then `params`.
 */
export function planRuns(program: Program, size: number, params: GpuPlan["params"] = []): GpuPlan {
  return {
    program: { ...program, source: [...program.source, runSource], constants: { ...program.constants, RUN } },
    params: [size, ...params],
    grid: linearGrid(size, 64 * RUN),
  };
}
