import type { GpuPlan } from "../../tensor/launch.js";
import divisionSource from "../division.wgsl?raw";
import nanSource from "../nan.wgsl?raw";
import { planRuns } from "../run.js";
import avgBackwardSource from "./avg-pool-backward.wgsl?raw";
import avgSource from "./avg-pool.wgsl?raw";
import type { PoolGeometry } from "./contract.js";
import geometrySource from "./geometry.wgsl?raw";
import maxBackwardDisjointSource from "./max-pool-backward-disjoint.wgsl?raw";
import maxBackwardSource from "./max-pool-backward.wgsl?raw";
import maxSource from "./max-pool.wgsl?raw";

/** A pooling, over its output pixels. */
export function planPool(kind: "max" | "avg", geometry: PoolGeometry): GpuPlan {
  const size = geometry.planes * geometry.outHeight * geometry.outWidth;
  return plan(`pool/${kind}`, kind === "max" ? maxSource : avgSource, size, geometry);
}

/** A pooling's gradient: over its input pixels, or over its windows where those do not overlap. */
export function planPoolBackward(kind: "max" | "avg", geometry: PoolGeometry): GpuPlan {
  const { planes, height, width, kernelHeight, kernelWidth, stride, padding } = geometry;
  if (kind === "max" && stride >= Math.max(kernelHeight, kernelWidth) && padding === 0) {
    const blocks = planes * Math.ceil(height / stride) * Math.ceil(width / stride);
    const constants = { KERNEL_HEIGHT: kernelHeight, KERNEL_WIDTH: kernelWidth, STRIDE: stride };
    return plan("pool/max-backward-disjoint", maxBackwardDisjointSource, blocks, geometry, constants);
  }
  const source = kind === "max" ? maxBackwardSource : avgBackwardSource;
  return plan(`pool/${kind}-backward`, source, planes * height * width, geometry);
}

function plan(
  name: string,
  source: string,
  size: number,
  geometry: PoolGeometry,
  constants: Record<string, number> = {},
): GpuPlan {
  const { height, width, outHeight, outWidth, kernelHeight, kernelWidth, stride, padding } = geometry;
  const program = { name, source: [divisionSource, nanSource, geometrySource, source], constants };
  return planRuns(program, size, [height, width, outHeight, outWidth, kernelHeight, kernelWidth, stride, padding]);
}
