import type { Device, DType, Recorder, Tensor } from "../../src/tensor/index.js";
import { runKernel, type Input } from "./harness.js";

/**
 * The gradient of Σ weights · out with respect to the input `name`, by central differences of step `h` on a device
 * (the CPU reference). It is off by about 1e-7 · |out| · (elements of out) / h for f32's rounding, and by h² · out‴ / 6.
 */
export async function numericalGradient<I extends Record<string, Input>>(
  device: Device,
  inputs: I,
  name: keyof I & string,
  weights: ArrayLike<number>,
  body: (
    recorder: Recorder,
    tensors: { [Name in keyof I]: I[Name] extends Input<infer D extends DType> ? Tensor<D> : never },
  ) => Tensor,
  h = 1e-2,
): Promise<number[]> {
  const original = inputs[name].data;
  const weighted = async (index: number, value: number) => {
    const data = Float32Array.from(original);
    data[index] = value;
    const changed: I = { ...inputs, [name]: { ...inputs[name], data } };
    const { out } = await runKernel(device, changed, (recorder, tensors) => ({ out: body(recorder, tensors) }));
    let total = 0;
    for (const [at, element] of out.entries()) total += element * weights[at];
    return total;
  };
  const gradient: number[] = [];
  for (let index = 0; index < original.length; index++) {
    const above = Math.fround(original[index] + h);
    const below = Math.fround(original[index] - h);
    gradient.push(((await weighted(index, above)) - (await weighted(index, below))) / (above - below));
  }
  return gradient;
}
