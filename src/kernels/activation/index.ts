import { hostArray } from "../../tensor/cpu/device.js";
import type { Recorder } from "../../tensor/recording.js";
import { expectShape } from "../../tensor/shape.js";
import { expectDType, type Tensor } from "../../tensor/tensor.js";
import { expectCounter, expectUint32 } from "../expect.js";
import { output, type Target } from "../output.js";
import { dropoutScale, type DropoutOptions } from "./contract.js";
import { planAdd, planDropout, planRelu, planReluBackward } from "./plan.js";
import { addReference, dropoutReference, reluBackwardReference, reluReference } from "./reference.js";

export { dropoutScale, type DropoutOptions } from "./contract.js";
export { planAdd, planDropout, planRelu, planReluBackward } from "./plan.js";
export { addReference, dropoutReference, reluBackwardReference, reluReference } from "./reference.js";

/**
 * max(0, x) of each element, NaN where x is NaN; f32, any shape.
 * @throws ShapeError where the target has another shape, DTypeError where x or the target is not f32.
 */
export function relu(recorder: Recorder, x: Tensor<"f32">, target: Target = {}): Tensor<"f32"> {
  expectDType("relu", "x", x, "f32");
  const out = output(recorder, "relu", x.shape, target);
  recorder.add({
    kernel: "relu",
    reads: [x],
    writes: [out],
    reference: () => {
      reluReference(hostArray(x), hostArray(out));
    },
    plan: (capabilities) => planRelu(x.size, capabilities),
  });
  return out;
}

/**
 * relu's gradient: `dOut` where relu's result `out` is above 0, else 0; both f32 of one shape, which the result has.
 * Serves every operation with a fused relu as well.
 * @throws ShapeError where the shapes differ, DTypeError where a tensor is not f32.
 */
export function reluBackward(
  recorder: Recorder,
  out: Tensor<"f32">,
  dOut: Tensor<"f32">,
  target: Target = {},
): Tensor<"f32"> {
  for (const [what, tensor] of Object.entries({ out, dOut })) expectDType("reluBackward", what, tensor, "f32");
  expectShape("reluBackward", "dOut", dOut.shape, out.shape);
  const dX = output(recorder, "reluBackward", out.shape, target);
  recorder.add({
    kernel: "reluBackward",
    reads: [out, dOut],
    writes: [dX],
    reference: () => {
      reluBackwardReference(hostArray(out), hostArray(dOut), hostArray(dX));
    },
    plan: (capabilities) => planReluBackward(out.size, capabilities),
  });
  return dX;
}

/**
 * a + b, then relu where asked: the join of a residual block. Both f32 of one shape, which the result has.
 * @throws ShapeError where the shapes differ, DTypeError where a tensor is not f32.
 */
export function add(
  recorder: Recorder,
  a: Tensor<"f32">,
  b: Tensor<"f32">,
  options: { relu?: boolean } & Target = {},
): Tensor<"f32"> {
  const { relu = false } = options;
  for (const [what, tensor] of Object.entries({ a, b })) expectDType("add", what, tensor, "f32");
  expectShape("add", "b", b.shape, a.shape);
  const out = output(recorder, "add", a.shape, options);
  recorder.add({
    kernel: "add",
    reads: [a, b],
    writes: [out],
    reference: () => {
      addReference(hostArray(a), hostArray(b), hostArray(out), relu);
    },
    plan: (capabilities) => planAdd(a.size, relu, capabilities),
  });
  return out;
}

/**
 * Sets a share `rate` of x's elements to 0, chosen anew each step, and multiplies the others by 1 / (1 − rate)
 * (Srivastava et al., JMLR 15, 2014, with the scaling at training time). f32, any shape.
 * @throws InputError where the rate is not in [0, 1), or seed or salt not of 32 bits; ShapeError where `counter` is not
 * [1] or `out` has another shape; DTypeError where x or `out` is not f32 or `counter` not u32.
 */
export function dropout(recorder: Recorder, x: Tensor<"f32">, options: DropoutOptions & Target): Tensor<"f32"> {
  return drop(recorder, "dropout", x, options);
}

/**
 * dropout's gradient: `dOut` · 1 / (1 − rate) where the same options let the element stay, else 0. The random numbers
 * are drawn again, so nothing is kept between the two.
 * @throws what {@link dropout} throws.
 */
export function dropoutBackward(
  recorder: Recorder,
  dOut: Tensor<"f32">,
  options: DropoutOptions & Target,
): Tensor<"f32"> {
  return drop(recorder, "dropoutBackward", dOut, options);
}

function drop(recorder: Recorder, kernel: string, x: Tensor<"f32">, options: DropoutOptions & Target): Tensor<"f32"> {
  const { rate, seed, counter, salt } = options;
  const scale = dropoutScale(rate);
  expectUint32(kernel, "seed", seed);
  expectUint32(kernel, "salt", salt);
  expectCounter(kernel, counter);
  expectDType(kernel, "x", x, "f32");
  const out = output(recorder, kernel, x.shape, options);
  recorder.add({
    kernel,
    reads: [x, counter],
    writes: [out],
    reference: () => {
      const step = hostArray(counter)[0];
      dropoutReference(hostArray(x), hostArray(out), { rate, scale, seed, step, salt });
    },
    plan: (capabilities) => planDropout(x.size, { rate, scale, seed, salt }, capabilities),
  });
  return out;
}
