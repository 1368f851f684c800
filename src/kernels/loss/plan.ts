import type { GpuPlan, Program } from "../../tensor/launch.js";
import { linearGrid } from "../grid.js";
import nanSource from "../nan.wgsl?raw";
import accumulateMeanSource from "./accumulate-mean.wgsl?raw";
import argmaxSource from "./argmax.wgsl?raw";
import type { ScoreSizes } from "./contract.js";
import countEqualSource from "./count-equal.wgsl?raw";
import logSumExpSource from "./log-sum-exp.wgsl?raw";
import softmaxCrossEntropySource from "./softmax-cross-entropy.wgsl?raw";
import softmaxSource from "./softmax.wgsl?raw";

const WORKGROUP = 64;

/** The bits of an f32 NaN, for kernels that have to write one. */
const NAN_BITS = 0x7fc00000;

const program = (name: string, ...source: string[]): Program => ({ name, source, constants: { WORKGROUP } });

/** Program and grid of softmax. */
export function planSoftmax({ rows, classes }: ScoreSizes): GpuPlan {
  return {
    program: program("loss/softmax", logSumExpSource, softmaxSource),
    params: [rows, classes, NAN_BITS],
    grid: linearGrid(rows, WORKGROUP),
  };
}

/** Program and grid of softmaxCrossEntropy at a temperature. */
export function planSoftmaxCrossEntropy({ rows, classes }: ScoreSizes, temperature = 1): GpuPlan {
  return {
    program: program("loss/softmax-cross-entropy", logSumExpSource, softmaxCrossEntropySource),
    params: [rows, classes, NAN_BITS, { f32: 1 / temperature }, { f32: temperature }],
    grid: linearGrid(rows, WORKGROUP),
  };
}

/** Program of accumulateMean over `count` values: one workgroup. */
export function planAccumulateMean(count: number): GpuPlan {
  return { program: program("loss/accumulate-mean", accumulateMeanSource), params: [count], grid: [1, 1, 1] };
}

/** Program and grid of argmax. */
export function planArgmax({ rows, classes }: ScoreSizes): GpuPlan {
  return {
    program: program("loss/argmax", nanSource, argmaxSource),
    params: [rows, classes],
    grid: linearGrid(rows, WORKGROUP),
  };
}

/** Program and grid of countEqual over `count` pairs. */
export function planCountEqual(count: number): GpuPlan {
  return {
    program: program("loss/count-equal", countEqualSource),
    params: [count],
    grid: linearGrid(count, WORKGROUP),
  };
}
