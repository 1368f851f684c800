import { hostArray } from "../../tensor/cpu/device.js";
import type { Recorder } from "../../tensor/recording.js";
import { expectDType, type Tensor } from "../../tensor/tensor.js";
import { output, type Target } from "../output.js";
import { planToFloat, planToHalf } from "./plan.js";
import { toFloatReference, toHalfReference } from "./reference.js";

export { planToFloat, planToHalf } from "./plan.js";
export { toFloatReference, toHalfReference } from "./reference.js";

/**
 * x rounded to f16, each element to the nearest, of two as near to the even one, and infinite from 65520 on; x f32, any
 * shape, which the result has. The same bits on every device; needs no feature of it.
 * @throws ShapeError where `out` has another shape; DTypeError where x is not f32 or `out` not f16.
 */
export function toHalf(recorder: Recorder, x: Tensor<"f32">, target: Target<"f16"> = {}): Tensor<"f16"> {
  expectDType("toHalf", "x", x, "f32");
  const out = output(recorder, "toHalf", x.shape, target, "f16");
  recorder.add({
    kernel: "toHalf",
    reads: [x],
    writes: [out],
    reference: () => {
      toHalfReference(hostArray(x), hostArray(out));
    },
    plan: (capabilities) => planToHalf(x.size, capabilities),
  });
  return out;
}

/**
 * x as f32, exactly; x f16, any shape, which the result has. Needs no feature of the device.
 * @throws ShapeError where `out` has another shape; DTypeError where x is not f16 or `out` not f32.
 */
export function toFloat(recorder: Recorder, x: Tensor<"f16">, target: Target = {}): Tensor<"f32"> {
  expectDType("toFloat", "x", x, "f16");
  const out = output(recorder, "toFloat", x.shape, target);
  recorder.add({
    kernel: "toFloat",
    reads: [x],
    writes: [out],
    reference: () => {
      toFloatReference(hostArray(x), hostArray(out));
    },
    plan: (capabilities) => planToFloat(x.size, capabilities),
  });
  return out;
}
