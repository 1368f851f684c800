import { hostArray } from "../../tensor/cpu/device.js";
import type { Capabilities } from "../../tensor/device.js";
import type { Recorder } from "../../tensor/recording.js";
import type { Shape } from "../../tensor/shape.js";
import { expectDType, type Tensor } from "../../tensor/tensor.js";
import { addInParts } from "../gemm/sum-parts.js";
import { output } from "../output.js";
import { forcedVariant, problemOf } from "../variant.js";
import { chooseConv2d, conv2dChoice, conv2dVariants } from "./choice.js";
import { conv2dGradientSizes, multiplyAdds, type Conv2dOptions, type Conv2dTarget } from "./contract.js";
import { planWeightGradient, weightGradientSplit } from "./plan.js";
import { conv2dWeightGradientReference } from "./reference.js";

/**
 * The gradient of conv2d's weights, of shape `weightShape` [O, C, KH, KW], from `x` [N, C, H, W] and the gradient of
 * its result, `dOut` [N, O, OH, OW]. ReLU is not undone here: give the gradient of what stood before it. Where there
 * are few weights and many output pixels, the sums over those are made in parts, side by side, and then added in order.
 * A NaN or an infinity reaches the taps that meet it; whether one of `dOut` times the padding is NaN is left to the
 * variant.
 * `out` is wholly overwritten.
 * @throws ShapeError where the shapes or options do not fit, DTypeError where a tensor is not f32, InputError where
 * `variant` is none, DeviceError where it is `few-channels`, which this kernel has not; recording throws DeviceError
 * where it asks for what the device has not.
 */
export function conv2dWeightGradient(
  recorder: Recorder,
  x: Tensor<"f32">,
  dOut: Tensor<"f32">,
  weightShape: Shape,
  options: Conv2dOptions & Conv2dTarget = {},
): Tensor<"f32"> {
  const sizes = conv2dGradientSizes("conv2dWeightGradient", x.shape, weightShape, dOut.shape, options);
  for (const [what, tensor] of Object.entries({ x, dOut })) expectDType("conv2dWeightGradient", what, tensor, "f32");
  const out = output(recorder, "conv2dWeightGradient", weightShape, options);

  const problem = problemOf(
    conv2dChoice("weightGradient", sizes, recorder.device.capabilities),
    multiplyAdds(sizes),
    [[x], [dOut, 1]],
    (again, [x, dOut], variant) => {
      const shape = [dOut.shape[1], ...weightShape.slice(1)];
      return conv2dWeightGradient(again, x, dOut, shape, { ...options, out: undefined, variant });
    },
  );
  const forced = forcedVariant("conv2dWeightGradient", options.variant, conv2dVariants);
  const variant = forced ?? chooseConv2d("weightGradient", sizes, recorder.device.capabilities);
  const launch = {
    kernel: "conv2dWeightGradient",
    problem: forced ? undefined : problem,
    reads: [x, dOut],
    reference: () => {
      conv2dWeightGradientReference(hostArray(x), hostArray(dOut), hostArray(out), sizes);
    },
    plan: (capabilities: Capabilities) => planWeightGradient(variant, sizes, capabilities),
  };
  const { parts } = weightGradientSplit(variant, sizes);
  addInParts(recorder, launch, out, parts, { channelAxis: 0, relu: false });
  return out;
}
