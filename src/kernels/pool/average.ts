import { hostArray } from "../../tensor/cpu/device.js";
import type { Recorder } from "../../tensor/recording.js";
import { expectShape, type Shape } from "../../tensor/shape.js";
import { expectDType, type Tensor } from "../../tensor/tensor.js";
import { output, type Target } from "../output.js";
import { globalPoolGeometry, pool2dGeometry, pool2dShape, type Pool2dOptions, type PoolGeometry } from "./contract.js";
import { planAvgPool, planAvgPoolBackward } from "./plan.js";
import { avgPool2dBackwardReference, avgPool2dReference } from "./reference.js";

/**
 * The mean of each window: x is [N, C, H, W], the result [N, C, OH, OW], both f32. Padding counts as zeros.
 * @throws ShapeError where x does not fit or `out` has another shape, InputError where an option is out of its range,
 * DTypeError where x or `out` is not f32.
 */
export function avgPool2d(
  recorder: Recorder,
  x: Tensor<"f32">,
  options: Pool2dOptions,
  target: Target = {},
): Tensor<"f32"> {
  const geometry = pool2dGeometry(x.shape, options, "avgPool2d");
  return average(recorder, "avgPool2d", x, pool2dShape(x.shape, options, "avgPool2d"), geometry, target);
}

/**
 * avgPool2d's gradient by its input of `inputShape` [N, C, H, W], which the result has: each window's element of
 * `dOut` [N, C, OH, OW] is shared out evenly among the window's pixels.
 * @throws ShapeError where the shapes do not fit, InputError where an option is out of its range, DTypeError where
 * `dOut` or the target is not f32.
 */
export function avgPool2dBackward(
  recorder: Recorder,
  dOut: Tensor<"f32">,
  inputShape: Shape,
  options: Pool2dOptions,
  target: Target = {},
): Tensor<"f32"> {
  const geometry = pool2dGeometry(inputShape, options, "avgPool2dBackward");
  expectShape("avgPool2dBackward", "dOut", dOut.shape, pool2dShape(inputShape, options, "avgPool2dBackward"));
  return averageBackward(recorder, "avgPool2dBackward", dOut, inputShape, geometry, target);
}

/**
 * The mean of each plane: x is [N, C, H, W], the result [N, C], both f32.
 * @throws ShapeError where x has not four axes or `out` has another shape, DTypeError where x or `out` is not f32.
 */
export function globalAvgPool(recorder: Recorder, x: Tensor<"f32">, target: Target = {}): Tensor<"f32"> {
  const geometry = globalPoolGeometry(x.shape, "globalAvgPool");
  return average(recorder, "globalAvgPool", x, x.shape.slice(0, 2), geometry, target);
}

/**
 * globalAvgPool's gradient by its input of `inputShape` [N, C, H, W], which the result has; `dOut` is [N, C].
 * @throws ShapeError where the shapes do not fit, DTypeError where `dOut` or the target is not f32.
 */
export function globalAvgPoolBackward(
  recorder: Recorder,
  dOut: Tensor<"f32">,
  inputShape: Shape,
  target: Target = {},
): Tensor<"f32"> {
  const geometry = globalPoolGeometry(inputShape, "globalAvgPoolBackward");
  expectShape("globalAvgPoolBackward", "dOut", dOut.shape, inputShape.slice(0, 2));
  return averageBackward(recorder, "globalAvgPoolBackward", dOut, inputShape, geometry, target);
}

function average(
  recorder: Recorder,
  kernel: string,
  x: Tensor<"f32">,
  outShape: Shape,
  geometry: PoolGeometry,
  target: Target,
): Tensor<"f32"> {
  expectDType(kernel, "x", x, "f32");
  const out = output(recorder, kernel, outShape, target);
  recorder.add({
    kernel,
    reads: [x],
    writes: [out],
    reference: () => {
      avgPool2dReference(hostArray(x), hostArray(out), geometry);
    },
    plan: (capabilities) => planAvgPool(geometry, capabilities),
  });
  return out;
}

function averageBackward(
  recorder: Recorder,
  kernel: string,
  dOut: Tensor<"f32">,
  inputShape: Shape,
  geometry: PoolGeometry,
  target: Target,
): Tensor<"f32"> {
  expectDType(kernel, "dOut", dOut, "f32");
  const dX = output(recorder, kernel, inputShape, target);
  recorder.add({
    kernel,
    reads: [dOut],
    writes: [dX],
    reference: () => {
      avgPool2dBackwardReference(hostArray(dOut), hostArray(dX), geometry);
    },
    plan: (capabilities) => planAvgPoolBackward(geometry, capabilities),
  });
  return dX;
}
