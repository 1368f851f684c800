import fc from "fast-check";
import {
  createTensor,
  Philox,
  readTensor,
  record,
  type Device,
  type DType,
  type HostArray,
  type Recorder,
  type Shape,
  type Tensor,
} from "../../src/tensor/index.js";
import { expectClose, type Tolerance } from "../close.js";
import type { Devices } from "../devices.js";

/** An input tensor by its shape and values. */
export interface Input<D extends DType = DType> {
  readonly shape: Shape;
  readonly data: ArrayLike<number>;
  readonly dtype: D;
}

type Tensors<I extends Record<string, Input>> = {
  [Name in keyof I]: I[Name] extends Input<infer D> ? Tensor<D> : never;
};

/** Records `body` on the device with tensors for the inputs, runs it once, and reads the tensors that it returns. */
export async function runKernel<I extends Record<string, Input>, O extends string>(
  device: Device,
  inputs: I,
  body: (recorder: Recorder, tensors: Tensors<I>) => Record<O, Tensor>,
): Promise<Record<O, HostArray>> {
  const tensors = Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, data, dtype }]) => [
      name,
      createTensor(device, shape, { data, dtype, name }),
    ]),
  ) as Tensors<I>;
  const recording = await record(device, (recorder) => {
    const outputs = body(recorder, tensors);
    for (const tensor of Object.values<Tensor>(outputs)) recorder.keep(tensor);
    return outputs;
  });
  recording.run();
  const outputs: Partial<Record<O, HostArray>> = {};
  for (const [name, tensor] of Object.entries<Tensor>(recording.result)) {
    outputs[name as O] = await readTensor(tensor);
  }
  recording.dispose();
  for (const tensor of Object.values<Tensor>(tensors)) tensor.dispose();
  return outputs as Record<O, HostArray>;
}

/** Requires the WebGPU device to give what the CPU reference gives, for every output of `body`. */
export async function expectSame<I extends Record<string, Input>, O extends string>(
  { cpu, gpu }: Devices,
  inputs: I,
  body: (recorder: Recorder, tensors: Tensors<I>) => Record<O, Tensor>,
  tolerance: Tolerance | Record<O, Tolerance>,
): Promise<void> {
  const expected = await runKernel(cpu, inputs, body);
  const actual = await runKernel(gpu, inputs, body);
  for (const name of Object.keys(expected) as O[]) {
    const own = "rtol" in tolerance ? (tolerance as Tolerance) : tolerance[name];
    expectClose(actual[name], expected[name], own, name);
  }
}

/** f32 input of uniform values in [−1, 1). */
export function randomInput(shape: Shape, seed: number): Input<"f32"> {
  const random = new Philox(seed);
  const size = shape.reduce((product, length) => product * length, 1);
  return { shape, dtype: "f32", data: Float32Array.from({ length: size }, () => 2 * random.float() - 1) };
}

/** The same with NaN and infinities in place of one value in forty, where `may` allows it of an index. */
export function oddInput(shape: Shape, seed: number, may: (index: number) => boolean = () => true): Input<"f32"> {
  const input = randomInput(shape, seed);
  const random = new Philox(seed, 1);
  const odd = [NaN, Infinity, -Infinity];
  const data = Float32Array.from(input.data, (value, index) => {
    const replaced = random.below(40) === 0 && may(index);
    return replaced ? odd[random.below(3)] : value;
  });
  return { ...input, data };
}

/** The same values as f16, but for those below 2^-14, which a device may take for 0 (its f16 has no smaller numbers). */
export function halfInput({ shape, data }: Input<"f32">): Input<"f16"> {
  const values = Float32Array.from(data, (value) => (Math.abs(value) < 2 ** -14 ? 0 : value));
  return { shape, dtype: "f16", data: values };
}

/** Sizes around the edges of tiles of `tile`: 1, primes, tile − 1, tile, tile + 1 and twice that. */
export function edgeSize(tile: number, most = 2 * tile + 1): fc.Arbitrary<number> {
  const edges = [1, 2, 3, 7, 13, tile - 1, tile, tile + 1, 2 * tile, 2 * tile + 1];
  return fc.constantFrom(...new Set(edges.filter((size) => size >= 1 && size <= most)));
}

/** Seeds for {@link randomInput}, with room for a few more above each. */
export const anySeed = fc.integer({ min: 0, max: 0xffffffff - 100 });
