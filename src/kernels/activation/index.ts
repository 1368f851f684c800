import { hostArray } from "../../tensor/cpu/device.js";
import type { Recorder } from "../../tensor/recording.js";
import { expectShape } from "../../tensor/shape.js";
import { expectDType, type Tensor } from "../../tensor/tensor.js";
import { dropoutScale, type DropoutOptions } from "./contract.js";
import { planAdd, planDropout, planRelu, planReluBackward } from "./plan.js";
import { addReference, dropoutReference, reluBackwardReference, reluReference } from "./reference.js";

export { dropoutScale, type DropoutOptions } from "./contract.js";
export { planAdd, planDropout, planRelu, planReluBackward } from "./plan.js";
export { addReference, dropoutReference, reluBackwardReference, reluReference } from "./reference.js";

/** Where the result goes. */
export interface ActivationTarget {
  /** Takes the result; an intermediate where absent. */
  out?: Tensor<"f32">;
}

/**
 * max(0, x) of each element, NaN where x is NaN; f32, any shape.
 * @throws ShapeError where `out` has another shape, DTypeError where x is not f32.
 */
export function relu(recorder: Recorder, x: Tensor<"f32">, target: ActivationTarget = {}): Tensor<"f32"> {
  const out = output(recorder, "relu", x, target);
  recorder.add({
    kernel: "relu",
    reads: [x],
    writes: [out],
    reference: () => {
      reluReference(hostArray(x), hostArray(out));
    },
    plan: () => planRelu(x.size),
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
  target: ActivationTarget = {},
): Tensor<"f32"> {
  expectDType("reluBackward", "out", out, "f32");
  const dX = output(recorder, "reluBackward", out, target);
  expectDType("reluBackward", "dOut", dOut, "f32");
  expectShape("reluBackward", "dOut", dOut.shape, out.shape);
  recorder.add({
    kernel: "reluBackward",
    reads: [out, dOut],
    writes: [dX],
    reference: () => {
      reluBackwardReference(hostArray(out), hostArray(dOut), hostArray(dX));
    },
    plan: () => planReluBackward(out.size),
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
  options: { relu?: boolean } & ActivationTarget = {},
): Tensor<"f32"> {
  const { relu = false } = options;
  const out = output(recorder, "add", a, options);
  expectDType("add", "b", b, "f32");
  expectShape("add", "b", b.shape, a.shape);
  recorder.add({
    kernel: "add",
    reads: [a, b],
    writes: [out],
    reference: () => {
      addReference(hostArray(a), hostArray(b), hostArray(out), relu);
    },
    plan: () => planAdd(a.size, relu),
  });
  return out;
}

/**
 * Sets a share `rate` of x's elements to 0, chosen anew each step, and multiplies the others by 1 / (1 − rate)
 * (Srivastava et al., JMLR 15, 2014, with the scaling at training time). f32, any shape.
 * @throws InputError where the rate is not in [0, 1), ShapeError where `counter` is not [1] or `out` has another
 * shape, DTypeError where x is not f32 or `counter` not u32.
 */
export function dropout(
  recorder: Recorder,
  x: Tensor<"f32">,
  options: DropoutOptions & ActivationTarget,
): Tensor<"f32"> {
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
  options: DropoutOptions & ActivationTarget,
): Tensor<"f32"> {
  return drop(recorder, "dropoutBackward", dOut, options);
}

function drop(
  recorder: Recorder,
  kernel: string,
  x: Tensor<"f32">,
  options: DropoutOptions & ActivationTarget,
): Tensor<"f32"> {
  const { rate, seed, counter, salt } = options;
  const scale = dropoutScale(rate);
  expectDType(kernel, "counter", counter, "u32");
  expectShape(kernel, "counter", counter.shape, [1]);
  const out = output(recorder, kernel, x, options);
  recorder.add({
    kernel,
    reads: [x, counter],
    writes: [out],
    reference: () => {
      const step = hostArray(counter)[0];
      dropoutReference(hostArray(x), hostArray(out), { rate, scale, seed, step, salt });
    },
    plan: () => planDropout(x.size, rate, scale, seed, salt),
  });
  return out;
}

/** `target.out`, or an intermediate of x's shape. */
function output(recorder: Recorder, kernel: string, x: Tensor<"f32">, target: ActivationTarget): Tensor<"f32"> {
  expectDType(kernel, "x", x, "f32");
  if (target.out) expectShape(kernel, "out", target.out.shape, x.shape);
  return target.out ?? recorder.temporary(x.shape, kernel);
}
