import { expect } from "vitest";
import { namedParameters, type Module } from "../../src/nn/index.js";
import {
  createTensor,
  Philox,
  readTensor,
  record,
  writeTensor,
  type Device,
  type Recorder,
  type Shape,
  type Tensor,
} from "../../src/tensor/index.js";
import { NETWORK_BY_DIFFERENCES } from "../close.js";
import { randomInput } from "../kernels/harness.js";

/** A power of two, so that adding it to values of about 1 rounds little. */
const STEP = 2 ** -9;

/** The loss Σ weights · terms, and its gradient by a module's output. */
export interface Loss {
  readonly terms: Tensor<"f32">;
  readonly weights: ArrayLike<number>;
  readonly gradient: Tensor<"f32">;
}

/** Records the loss of a module's output. */
export type Head = (recorder: Recorder, output: Tensor<"f32">) => Loss;

/** Adds up the output with random weights. */
function weightedSum(device: Device, shape: Shape): Head {
  const { data } = randomInput(shape, 99);
  const gradient = createTensor(device, shape, { data });
  return (_, output) => ({ terms: output, weights: data, gradient });
}

/**
 * Requires the gradients that a module's backward pass gives, by each of its trained parameters and by its input, to be
 * those that differences of its forward pass show. Values are random, in [−1, 1); the device is the CPU reference.
 */
export async function expectGradients(
  device: Device,
  module: Module,
  inputShape: Shape,
  head: Head = weightedSum(device, module.outputShape(inputShape)),
): Promise<void> {
  const input = createTensor(device, inputShape, { data: randomInput(inputShape, 1).data });
  const step = createTensor(device, [1], { dtype: "u32", data: [5] });
  const variables: { name: string; value: Tensor<"f32">; gradient: Tensor<"f32"> }[] = [];
  for (const [name, parameter] of namedParameters(module)) {
    const { shape, role } = parameter;
    const { data } = randomInput(shape, 10 + variables.length);
    // A constant is part of what the layer computes.
    const first = role === "constant" ? parameter.initialise(new Philox(0)) : data;
    const variable = {
      name,
      value: createTensor(device, shape, { data: first }),
      gradient: createTensor(device, shape),
    };
    parameter.place(variable.value, variable.gradient);
    if (role === "trained") variables.push(variable);
  }

  const pass = (recorder: Recorder) => ({ recorder, training: true, seed: 3, step });
  const forward = await record(device, (recorder) => {
    const { terms, weights } = head(recorder, module.forward(pass(recorder), input).output);
    return { terms: recorder.keep(terms), weights };
  });
  const training = await record(device, (recorder) => {
    const { output, backward } = module.forward(pass(recorder), input);
    return recorder.keep(backward(head(recorder, output).gradient, true)!);
  });
  training.run();
  variables.push({ name: "input", value: input, gradient: training.result });

  let blunt = 0;
  for (const { name, value, gradient } of variables) {
    const original = await readTensor(value);
    const lossAt = async (index: number, change: number) => {
      const changed = original.slice();
      changed[index] += change;
      writeTensor(value, changed);
      forward.run();
      const { terms, weights } = forward.result;
      const loss = (await readTensor(terms)).reduce((sum, term, i) => sum + term * weights[i], 0);
      return { at: changed[index], loss };
    };
    const here = await lossAt(0, 0);
    const found = await readTensor(gradient);
    const sides = [];
    for (const [index, at] of original.entries()) {
      const [below, above] = [await lossAt(index, -STEP), await lossAt(index, STEP)];
      sides.push([(here.loss - below.loss) / (at - below.at), (above.loss - here.loss) / (above.at - at)]);
    }
    writeTensor(value, original);
    blunt += expectBetween(found, sides, name);
  }
  const size = variables.reduce((sum, { value }) => sum + value.size, 0);
  expect(blunt / size, "share of kinks within the step").toBeLessThanOrEqual(0.1);
}

/**
 * The gradient has to lie between the difference quotients of both sides: these are equal, but for rounding, where the
 * loss is linear, and differ where it is curved or where a ReLU or a maximum changes within the step. Returns
 * how many differ by a fifth of the gradients' root mean square: they prove little.
 */
function expectBetween(gradient: Float32Array, sides: number[][], name: string): number {
  const { rtol, atol } = NETWORK_BY_DIFFERENCES;
  const size = Math.sqrt(sides.reduce((sum, [left, right]) => sum + ((left + right) / 2) ** 2, 0) / sides.length);
  expect(size, `${name}: a gradient that is not 0`).toBeGreaterThan(0);
  const allowed = atol + rtol * size;
  let blunt = 0;
  for (const [index, value] of gradient.entries()) {
    const [least, most] = sides[index].toSorted((a, b) => a - b);
    const where = `${name}[${index}], by differences ${least} to ${most}`;
    expect(value, where).toBeGreaterThanOrEqual(least - allowed);
    expect(value, where).toBeLessThanOrEqual(most + allowed);
    if (most - least > size / 5) blunt++;
  }
  return blunt;
}
