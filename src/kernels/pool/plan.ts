import type { GpuPlan } from "../../tensor/launch.js";
import { linearGrid } from "../grid.js";
import avgBackwardSource from "./avg-pool-backward.wgsl?raw";
import avgSource from "./avg-pool.wgsl?raw";
import type { PoolGeometry } from "./contract.js";
import geometrySource from "./geometry.wgsl?raw";
import maxBackwardSource from "./max-pool-backward.wgsl?raw";
import maxSource from "./max-pool.wgsl?raw";

/** A pooling: one invocation an output pixel. */
export function planPool(kind: "max" | "avg", geometry: PoolGeometry): GpuPlan {
  const size = geometry.planes * geometry.outHeight * geometry.outWidth;
  return plan(`pool/${kind}`, kind === "max" ? maxSource : avgSource, size, geometry);
}

/** A pooling's gradient: one invocation an input pixel. */
export function planPoolBackward(kind: "max" | "avg", geometry: PoolGeometry): GpuPlan {
  const size = geometry.planes * geometry.height * geometry.width;
  return plan(`pool/${kind}-backward`, kind === "max" ? maxBackwardSource : avgBackwardSource, size, geometry);
}

function plan(name: string, source: string, size: number, geometry: PoolGeometry): GpuPlan {
  const { height, width, outHeight, outWidth, kernelHeight, kernelWidth, stride, padding } = geometry;
  return {
    program: { name, source: [geometrySource, source] },
    params: [size, height, width, outHeight, outWidth, kernelHeight, kernelWidth, stride, padding],
    grid: linearGrid(size, 64),
  };
}
