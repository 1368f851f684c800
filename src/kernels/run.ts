import type { Capabilities } from "../tensor/device.js";
import type { GpuPlan, Program } from "../tensor/launch.js";
import { linearGrid } from "./grid.js";
import runSource from "./run.wgsl?raw";

/**
 * Elements that one invocation of an elementwise kernel writes, 64 apart so that neighbours stay side by side. On a
 * software driver many: relu of 1.6 million numbers takes 33 ms with one and 4 to 7 ms with 4 to 16 (lavapipe, 2 cores,
 * 2026-11). Hardware wants many invocations instead.
 */
const runLength = ({ software }: Capabilities): number => (software ? 8 : 1);

/**
 * An elementwise kernel over `size` elements: run.wgsl is its entry point, and `program.source` declares what that
 * calls. Params are `size` and then `params`.
 */
export function planRuns(
  program: Program,
  size: number,
  params: GpuPlan["params"],
  capabilities: Capabilities,
): GpuPlan {
  const RUN = runLength(capabilities);
  return {
    program: { ...program, source: [...program.source, runSource], constants: { ...program.constants, RUN } },
    params: [size, ...params],
    grid: linearGrid(size, 64 * RUN),
  };
}

/**
 * Numbers in an `Element` of kernels that are written for f32 and vec4f alike: four where rows of `length` numbers are
 * whole vectors of four. In vectors a copy reaches twice the bytes a second (lavapipe, 2 cores, 2026-11).
 */
export function elementWidth(length: number): 1 | 4 {
  return length % 4 === 0 ? 4 : 1;
}

/** The declaration of `Element` for elements of `width` numbers: stands in front of such a kernel. */
export function declareElement(width: 1 | 4): string {
  return `alias Element = ${width === 4 ? "vec4f" : "f32"};`;
}

/** As {@link planRuns}, for a kernel on `size` numbers in elements of `width`. */
export function planElements(
  program: Program,
  size: number,
  width: 1 | 4,
  params: GpuPlan["params"],
  capabilities: Capabilities,
): GpuPlan {
  const source = [declareElement(width), ...program.source];
  return planRuns({ ...program, source }, size / width, params, capabilities);
}
