import { CpuDevice } from "../../tensor/cpu/device.js";
import type { Problem } from "../../tensor/problem.js";
import { Philox } from "../../tensor/random.js";
import { record } from "../../tensor/recording.js";
import { sizeOf, type Shape } from "../../tensor/shape.js";
import { createTensor, readTensor } from "../../tensor/tensor.js";

/** Multiply-adds that the CPU reference does in one to three seconds; of larger problems it checks some rows. */
export const BUDGET = 2 ** 28;

/** Rows of a problem's result, along its first axis, as they should be. */
export interface Expected {
  readonly rows: readonly number[];
  /** Of these rows, one after the other. */
  readonly values: ArrayLike<number>;
  /** A value may be off by atol + rtol · |value|. */
  readonly rtol: number;
  readonly atol: number;
}

/** Numbers between −1 and 1 for each input of a problem. */
export function randomInputs({ inputs }: Problem, seed: number): Float32Array[] {
  return inputs.map(({ shape }, index) => {
    const random = new Philox(seed, index);
    return Float32Array.from({ length: sizeOf(shape) }, () => 2 * random.float() - 1);
  });
}

/**
 * What the CPU reference makes of a problem: of the whole of it, or of as many rows as `budget` multiply-adds make, but
 * at least the first and the last; the others are chosen at random.
 * @param data of the problem's inputs
 */
export async function expectedRows(
  problem: Problem,
  data: readonly Float32Array[],
  seed: number,
  budget = BUDGET,
): Promise<Expected> {
  const { inputs, axes, multiplyAdds } = problem;
  const divided = axes.findIndex((axis) => axis !== undefined);
  const count = inputs[divided].shape[axes[divided]!];
  const rows = chooseRows(count, Math.floor((budget * count) / multiplyAdds), seed);
  const device = new CpuDevice();
  const tensors = inputs.map(({ shape, dtype }, index) => {
    const part = takeRows(data[index], shape, axes[index], rows);
    return createTensor(device, part.shape, { data: part.data, dtype });
  });
  const recording = await record(device, (recorder) =>
    recorder.keep(problem.record(recorder, tensors, problem.byRule)),
  );
  recording.run();
  const values = await readTensor(recording.result);
  device.destroy();
  const terms = (multiplyAdds * rows.length) / count / values.length;
  // Of f32 sums over so many products of numbers up to 1, as in the kernels' own tests.
  return { rows, values, rtol: 1e-5, atol: 1e-6 + 1e-7 * terms };
}

/** In what a result differs from what is expected, in a few words; `undefined` where it does not. */
export function difference(result: ArrayLike<number>, shape: Shape, expected: Expected): string | undefined {
  const { rows, values, rtol, atol } = expected;
  const { data } = takeRows(Float32Array.from(result), shape, 0, rows);
  const isWrong = (index: number) => !(Math.abs(data[index] - values[index]) <= atol + rtol * Math.abs(values[index]));
  const wrong = [...data.keys()].filter(isWrong);
  if (wrong.length === 0) return undefined;
  const [first] = wrong;
  return `${wrong.length} of ${data.length} values are wrong, the first is ${data[first]} for ${values[first]}`;
}

function chooseRows(count: number, most: number, seed: number): number[] {
  if (count <= Math.max(most, 2)) return Array.from({ length: count }, (_, row) => row);
  const inner = new Philox(seed).sample(Math.max(most - 2, 0), count - 2);
  return [0, ...Array.from(inner, (row) => row + 1), count - 1];
}

/** The given rows along an axis of an array; the whole where there is no axis. */
function takeRows(
  data: Float32Array,
  shape: Shape,
  axis: number | undefined,
  rows: readonly number[],
): { shape: Shape; data: Float32Array } {
  if (axis === undefined || rows.length === shape[axis]) return { shape, data };
  const inner = shape.slice(axis + 1).reduce((product, length) => product * length, 1);
  const outer = data.length / (inner * shape[axis]);
  const taken = new Float32Array(outer * rows.length * inner);
  for (let block = 0; block < outer; block++) {
    for (const [index, row] of rows.entries()) {
      const from = (block * shape[axis] + row) * inner;
      taken.set(data.subarray(from, from + inner), (block * rows.length + index) * inner);
    }
  }
  return { shape: shape.with(axis, rows.length), data: taken };
}
