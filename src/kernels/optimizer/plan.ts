import type { Capabilities } from "../../tensor/device.js";
import type { GpuPlan } from "../../tensor/launch.js";
import { linearGrid } from "../grid.js";
import { declareElement, elementWidth } from "../run.js";
import adamSource from "./adam.wgsl?raw";
import averageSource from "./average.wgsl?raw";
import type { AdamNumbers, SgdNumbers } from "./contract.js";
import sgdSource from "./sgd.wgsl?raw";

const WORKGROUP = 64;

/** Elements that one invocation takes: many on a software driver, as in run.ts. */
const runLength = ({ software }: Capabilities): number => (software ? 4 : 1);

/** Stands for ln 0: exp(−100 · t) is 0 in f32 for every t. */
const LEAST_LOG = -100;

const logarithm = (beta: number) => Math.max(Math.log(beta), LEAST_LOG);

/** Program and grid of sgd over `count` parameters with `rates` learning rates. */
export function planSgd(count: number, rates: number, numbers: SgdNumbers, capabilities: Capabilities): GpuPlan {
  const { momentum, weightDecay, nesterov } = numbers;
  const params = [rates - 1, { f32: momentum }, { f32: weightDecay }, Number(nesterov)];
  return plan("optimizer/sgd", sgdSource, count, params, capabilities);
}

/** Program and grid of adam over `count` parameters with `rates` learning rates. */
export function planAdam(count: number, rates: number, numbers: AdamNumbers, capabilities: Capabilities): GpuPlan {
  const { beta1, beta2, epsilon, weightDecay } = numbers;
  const params = [
    rates - 1,
    { f32: 1 - beta1 },
    { f32: 1 - beta2 },
    { f32: logarithm(beta1) },
    { f32: logarithm(beta2) },
    { f32: epsilon },
    { f32: weightDecay },
  ];
  return plan("optimizer/adam", adamSource, count, params, capabilities);
}

/** Program and grid of averageParameters over `count` parameters. */
export function planAverage(count: number, capabilities: Capabilities): GpuPlan {
  return plan("optimizer/average", averageSource, count, [], capabilities);
}

function plan(
  name: string,
  source: string,
  count: number,
  params: GpuPlan["params"],
  capabilities: Capabilities,
): GpuPlan {
  const RUN = runLength(capabilities);
  const width = elementWidth(count);
  return {
    program: { name, source: [declareElement(width), source], constants: { WORKGROUP, RUN } },
    params: [count / width, ...params],
    grid: linearGrid(count / width, WORKGROUP * RUN),
  };
}
