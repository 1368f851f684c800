import { hostArray } from "../../tensor/cpu/device.js";
import type { Recorder } from "../../tensor/recording.js";
import { expectShape } from "../../tensor/shape.js";
import { expectDType, type Tensor } from "../../tensor/tensor.js";
import { output, type Target } from "../output.js";
import { hasWindowPairs, pool2dGeometry, pool2dShape, type MaxPool2dOptions } from "./contract.js";
import { planMaxPool, planMaxPoolBackward } from "./plan.js";
import { maxPool2dBackwardReference, maxPool2dReference } from "./reference.js";

/**
 * The largest number of each window, then relu where asked: x is [N, C, H, W], the result [N, C, OH, OW], both f32.
 * Padding never counts; a window that holds a NaN gives NaN.
 * @throws ShapeError where x does not fit or `out` has another shape, InputError where an option is out of its range,
 * DTypeError where x or `out` is not f32.
 */
export function maxPool2d(
  recorder: Recorder,
  x: Tensor<"f32">,
  options: MaxPool2dOptions,
  target: Target = {},
): Tensor<"f32"> {
  const { relu = false } = options;
  const geometry = pool2dGeometry(x.shape, options, "maxPool2d");
  expectDType("maxPool2d", "x", x, "f32");
  const out = output(recorder, "maxPool2d", pool2dShape(x.shape, options, "maxPool2d"), target);
  recorder.add({
    kernel: "maxPool2d",
    reads: [x],
    writes: [out],
    reference: () => {
      maxPool2dReference(hostArray(x), hostArray(out), geometry, relu);
    },
    plan: (capabilities) => planMaxPool(geometry, relu, capabilities),
  });
  return out;
}

/**
 * maxPool2d's gradient by x [N, C, H, W], which the result is shaped like: each window's element of `dOut`
 * [N, C, OH, OW] goes to the window's first maximum, row by row (a NaN is larger than any number); with relu only where
 * that is above 0. `out` is what maxPool2d made of x with the same options.
 * @throws ShapeError where the shapes do not fit, InputError where an option is out of its range, DTypeError where a
 * tensor is not f32.
 */
export function maxPool2dBackward(
  recorder: Recorder,
  x: Tensor<"f32">,
  out: Tensor<"f32">,
  dOut: Tensor<"f32">,
  options: MaxPool2dOptions,
  target: Target = {},
): Tensor<"f32"> {
  const kernel = "maxPool2dBackward";
  const { relu = false } = options;
  const geometry = pool2dGeometry(x.shape, options, kernel);
  const outShape = pool2dShape(x.shape, options, kernel);
  for (const [what, tensor] of Object.entries({ x, out, dOut })) expectDType(kernel, what, tensor, "f32");
  for (const [what, tensor] of Object.entries({ out, dOut })) expectShape(kernel, what, tensor.shape, outShape);
  const dX = output(recorder, kernel, x.shape, target);
  recorder.add({
    kernel,
    reads: hasWindowPairs(geometry) ? [x, dOut] : [x, out, dOut],
    writes: [dX],
    reference: () => {
      maxPool2dBackwardReference(hostArray(x), hostArray(dOut), hostArray(dX), geometry, relu);
    },
    plan: (capabilities) => planMaxPoolBackward(geometry, relu, capabilities),
  });
  return dX;
}
