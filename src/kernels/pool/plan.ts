import type { Capabilities } from "../../tensor/device.js";
import type { GpuPlan, Program } from "../../tensor/launch.js";
import divisionSource from "../division.wgsl?raw";
import nanSource from "../nan.wgsl?raw";
import { planRuns } from "../run.js";
import avgBackwardSource from "./avg-pool-backward.wgsl?raw";
import avgSource from "./avg-pool.wgsl?raw";
import { hasWindowPairs, type PoolGeometry } from "./contract.js";
import geometrySource from "./geometry.wgsl?raw";
import max2x2BackwardSource from "./max-2x2-backward.wgsl?raw";
import max2x2Source from "./max-2x2.wgsl?raw";
import maxBackwardDisjointSource from "./max-pool-backward-disjoint.wgsl?raw";
import maxBackwardSource from "./max-pool-backward.wgsl?raw";
import maxSource from "./max-pool.wgsl?raw";
import window2x2Source from "./window-2x2.wgsl?raw";

/** A mean of windows, over its output pixels. */
export function planAvgPool(geometry: PoolGeometry, capabilities: Capabilities): GpuPlan {
  const size = geometry.planes * geometry.outHeight * geometry.outWidth;
  return plan({ name: "pool/avg", source: [avgSource] }, size, geometry, capabilities);
}

/** The gradient of a mean of windows, over its input pixels. */
export function planAvgPoolBackward(geometry: PoolGeometry, capabilities: Capabilities): GpuPlan {
  const size = geometry.planes * geometry.height * geometry.width;
  return plan({ name: "pool/avg-backward", source: [avgBackwardSource] }, size, geometry, capabilities);
}

/** A maximum of windows, over its output pixels, or over pairs of them where there are windows of 2 × 2. */
export function planMaxPool(geometry: PoolGeometry, relu: boolean, capabilities: Capabilities): GpuPlan {
  const constants = { RELU: relu };
  if (hasWindowPairs(geometry)) {
    return planPairs({ name: "pool/max-2x2", source: [max2x2Source], constants }, geometry, capabilities);
  }
  const size = geometry.planes * geometry.outHeight * geometry.outWidth;
  return plan({ name: "pool/max", source: [maxSource], constants }, size, geometry, capabilities);
}

/**
 * The gradient of a maximum of windows: over its input pixels, over its windows where those do not overlap, or over
 * pairs of these where they are 2 × 2.
 */
export function planMaxPoolBackward(geometry: PoolGeometry, relu: boolean, capabilities: Capabilities): GpuPlan {
  const { planes, height, width, kernelHeight, kernelWidth, stride, padding } = geometry;
  if (hasWindowPairs(geometry)) {
    const program = { name: "pool/max-2x2-backward", source: [max2x2BackwardSource], constants: { RELU: relu } };
    return planPairs(program, geometry, capabilities);
  }
  if (stride >= Math.max(kernelHeight, kernelWidth) && padding === 0) {
    const blocks = planes * Math.ceil(height / stride) * Math.ceil(width / stride);
    const constants = { KERNEL_HEIGHT: kernelHeight, KERNEL_WIDTH: kernelWidth, STRIDE: stride, RELU: relu };
    const program = { name: "pool/max-backward-disjoint", source: [maxBackwardDisjointSource], constants };
    return plan(program, blocks, geometry, capabilities);
  }
  const program = { name: "pool/max-backward", source: [maxBackwardSource], constants: { RELU: relu } };
  return plan(program, planes * height * width, geometry, capabilities);
}

function plan(program: Program, size: number, geometry: PoolGeometry, capabilities: Capabilities): GpuPlan {
  const { height, width, outHeight, outWidth, kernelHeight, kernelWidth, stride, padding } = geometry;
  const source = [divisionSource, nanSource, geometrySource, ...program.source];
  const params = [height, width, outHeight, outWidth, kernelHeight, kernelWidth, stride, padding];
  return planRuns({ ...program, source }, size, params, capabilities);
}

function planPairs(program: Program, { planes, outHeight, width }: PoolGeometry, capabilities: Capabilities): GpuPlan {
  const source = [divisionSource, nanSource, window2x2Source, ...program.source];
  return planRuns({ ...program, source }, planes * outHeight * (width / 4), [width / 4], capabilities);
}
