import type { Device } from "../../tensor/device.js";
import type { Launch } from "../../tensor/launch.js";
import type { Problem } from "../../tensor/problem.js";
import { Recorder } from "../../tensor/recording.js";
import { conv2d, conv2dInputGradient, conv2dWeightGradient } from "../conv2d/index.js";
import { matmul } from "../matmul/index.js";
import { sha256 } from "./hash.js";

/** The problems of launches for which there is more than one candidate, each once, in order. */
export function problemsOf(launches: readonly Launch[]): Problem[] {
  return allProblems(launches).filter(({ candidates }) => candidates.length > 1);
}

function allProblems(launches: readonly Launch[]): Problem[] {
  const problems = new Map<string, Problem>();
  for (const { problem } of launches) {
    if (problem && !problems.has(problem.key)) problems.set(problem.key, problem);
  }
  return [...problems.values()];
}

/** Products [M, N, K, flags] of every kind that a rule may treat apart: square, flat, tall, deep, with odd edges. */
const PRODUCTS = [
  [64, 10, 84],
  [64, 120, 784],
  [120, 784, 64],
  [1, 1000, 512],
  [10, 10, 4096],
  [16, 16, 8192],
  [33, 67, 129],
  [512, 512, 512],
  [4096, 4096, 4096],
] as const;

/** Convolutions [N, C, size, O, kernel, padding, stride], likewise. */
const CONVOLUTIONS = [
  [64, 1, 28, 6, 5, 0, 1],
  [64, 6, 12, 16, 5, 2, 1],
  [128, 3, 32, 64, 3, 1, 1],
  [128, 64, 32, 128, 3, 1, 2],
  [128, 512, 4, 512, 3, 1, 1],
  [32, 64, 16, 128, 1, 0, 1],
  [5, 7, 11, 13, 3, 1, 1],
] as const;

/**
 * A checksum of the kernels that tuning chooses from, as they run on the device: of the programs that every candidate has
 * for problems of every kind, with their parameters and grids. What was measured of other kernels is worth nothing.
 */
export async function kernelsChecksum(device: Device): Promise<string> {
  const plans: unknown[] = [];
  /** Modules of WGSL, each once: many programs share them. */
  const modules = new Map<string, number>();
  const numberOf = (module: string) => {
    if (!modules.has(module)) modules.set(module, modules.size);
    return modules.get(module);
  };
  for (const problem of exampleProblems(device)) {
    for (const variant of problem.candidates) {
      const recorder = new Recorder(device);
      const inputs = problem.inputs.map(({ shape, dtype }) => recorder.temporary(shape, "input", dtype));
      problem.record(recorder, inputs, variant);
      for (const launch of recorder.launches) {
        const { program, params, grid } = launch.plan(device.capabilities);
        plans.push([problem.key, variant, { ...program, source: program.source.map(numberOf) }, params, grid]);
      }
    }
  }
  return sha256(JSON.stringify([plans, [...modules.keys()]]));
}

function exampleProblems(device: Device): Problem[] {
  const recorder = new Recorder(device);
  const tensor = (...shape: number[]) => recorder.temporary(shape, "example");
  for (const [m, n, k] of PRODUCTS) {
    matmul(recorder, tensor(m, k), tensor(n, k), tensor(n), { transposeB: true, relu: true });
    matmul(recorder, tensor(k, m), tensor(k, n), undefined, { transposeA: true });
    matmul(recorder, tensor(m, k), tensor(k, n));
  }
  for (const [n, c, size, o, kernel, padding, stride] of CONVOLUTIONS) {
    const image = tensor(n, c, size, size);
    const weight = tensor(o, c, kernel, kernel);
    const geometry = { padding, stride };
    const out = conv2d(recorder, image, weight, tensor(o), { ...geometry, relu: true });
    conv2dInputGradient(recorder, out, weight, image.shape, geometry);
    conv2dWeightGradient(recorder, image, out, weight.shape, geometry);
  }
  return allProblems(recorder.launches);
}
