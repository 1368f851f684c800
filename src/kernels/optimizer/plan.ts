import type { GpuPlan } from "../../tensor/launch.js";
import { linearGrid } from "../grid.js";
import adamSource from "./adam.wgsl?raw";
import type { AdamNumbers, SgdNumbers } from "./contract.js";
import sgdSource from "./sgd.wgsl?raw";

const WORKGROUP = 64;

/** Parameters that one invocation takes. */
const RUN = 4;

/** Stands for ln 0: exp(−100 · t) is 0 in f32 for every t. */
const LEAST_LOG = -100;

const logarithm = (beta: number) => Math.max(Math.log(beta), LEAST_LOG);

/** Program and grid of sgd over `count` parameters with `rates` learning rates. */
export function planSgd(count: number, rates: number, { momentum, weightDecay, nesterov }: SgdNumbers): GpuPlan {
  return {
    program: { name: "optimizer/sgd", source: [sgdSource], constants: { WORKGROUP, RUN } },
    params: [count, rates - 1, { f32: momentum }, { f32: weightDecay }, Number(nesterov)],
    grid: linearGrid(count, WORKGROUP * RUN),
  };
}

/** Program and grid of adam over `count` parameters with `rates` learning rates. */
export function planAdam(count: number, rates: number, numbers: AdamNumbers): GpuPlan {
  const { beta1, beta2, epsilon, weightDecay } = numbers;
  return {
    program: { name: "optimizer/adam", source: [adamSource], constants: { WORKGROUP, RUN } },
    params: [
      count,
      rates - 1,
      { f32: 1 - beta1 },
      { f32: 1 - beta2 },
      { f32: logarithm(beta1) },
      { f32: logarithm(beta2) },
      { f32: epsilon },
      { f32: weightDecay },
    ],
    grid: linearGrid(count, WORKGROUP * RUN),
  };
}
