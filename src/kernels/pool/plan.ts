import type { GpuPlan } from "../../tensor/launch.js";
import divisionSource from "../division.wgsl?raw";
import { planRuns } from "../run.js";
import avgBackwardSource from "./avg-pool-backward.wgsl?raw";
import avgSource from "./avg-pool.wgsl?raw";
import type { PoolGeometry } from "./contract.js";
import geometrySource from "./geometry.wgsl?raw";
import maxBackwardSource from "./max-pool-backward.wgsl?raw";
import maxSource from "./max-pool.wgsl?raw";

/** A pooling, over its output pixels. */
export function planPool(kind: "max" | "avg", geometry: PoolGeometry): GpuPlan {
  const size = geometry.planes * geometry.outHeight * geometry.outWidth;
  return plan(`pool/${kind}`, kind === "max" ? maxSource : avgSource, size, geometry);
}

/** A pooling's gradient, over its input pixels. */
export function planPoolBackward(kind: "max" | "avg", geometry: PoolGeometry): GpuPlan {
  const size = geometry.planes * geometry.height * geometry.width;
  return plan(`pool/${kind}-backward`, kind === "max" ? maxBackwardSource : avgBackwardSource, size, geometry);
}

function plan(name: string, source: string, size: number, geometry: PoolGeometry): GpuPlan {
  const { height, width, outHeight, outWidth, kernelHeight, kernelWidth, stride, padding } = geometry;
  const { constants, grid } = planRuns(size);
  return {
    program: { name, source: [divisionSource, geometrySource, source], constants },
    params: [size, height, width, outHeight, outWidth, kernelHeight, kernelWidth, stride, padding],
    grid,
  };
}
