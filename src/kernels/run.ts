import type { GpuPlan } from "../tensor/launch.js";
import { linearGrid } from "./grid.js";

/**
 * Elements that one invocation of an elementwise kernel writes, 64 apart so that neighbours stay side by side: relu of
 * 1.6 million elements takes 33 ms with one and 4 to 7 ms with 4 to 16 (lavapipe, 2 cores, 2026-11).
 */
const RUN = 8;

/**
 * Constants and grid of a kernel that writes `count` elements. Its workgroups of 64 take 64 · RUN elements each: from
 * `(group.y * groups.x + group.x) * 64 * RUN + local.x` on, in steps of 64, as long as the index is below `count`.
 */
export function planRuns(count: number): { constants: { RUN: number }; grid: GpuPlan["grid"] } {
  return { constants: { RUN }, grid: linearGrid(count, 64 * RUN) };
}
