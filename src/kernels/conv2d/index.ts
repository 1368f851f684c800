import { hostArray } from "../../tensor/cpu/device.js";
import type { Capabilities } from "../../tensor/device.js";
import type { Recorder } from "../../tensor/recording.js";
import type { Shape } from "../../tensor/shape.js";
import { expectDType, type Tensor } from "../../tensor/tensor.js";
import { addInParts } from "../gemm/sum-parts.js";
import { output } from "../output.js";
import { forcedVariant, problemOf } from "../variant.js";
import { chooseConv2d, conv2dChoice, conv2dVariants } from "./choice.js";
import { conv2dGradientSizes, conv2dSizes, multiplyAdds, type Conv2dOptions, type Conv2dTarget } from "./contract.js";
import { forwardCorrelation, inputGradientCorrelation } from "./correlation.js";
import { correlationSplit, planCorrelation } from "./plan.js";
import { conv2dInputGradientReference, conv2dReference } from "./reference.js";

export { chooseConv2d, conv2dChoice, type Conv2dPass, type Conv2dVariant } from "./choice.js";
export { conv2dShape, conv2dSizes, type Conv2dOptions, type Conv2dSizes, type Conv2dTarget } from "./contract.js";
export { conv2dInputGradientReference, conv2dReference, conv2dWeightGradientReference } from "./reference.js";
export { conv2dWeightGradient } from "./weight-gradient.js";

/**
 * Convolution of `x` [N, C, H, W] with `weight` [O, C, KH, KW], plus `bias` [O], then ReLU where asked: the result is
 * [N, O, OH, OW], all f32: out[n, o, y, x] = Σ_{c, ky, kx} weight[o, c, ky, kx] · x[n, c, y·stride + ky − padding,
 * x·stride + kx − padding] + bias[o]. The CPU device sums in f64. A NaN or an infinity reaches the outputs whose
 * windows see it; whether an infinite weight times the padding is NaN is left to the variant. `out` is wholly
 * overwritten.
 * @throws ShapeError where the shapes or options do not fit, DTypeError where a tensor is not f32, InputError where
 * `variant` is none; recording throws DeviceError where it asks for what the device has not.
 */
export function conv2d(
  recorder: Recorder,
  x: Tensor<"f32">,
  weight: Tensor<"f32">,
  bias?: Tensor<"f32">,
  options: Conv2dOptions & Conv2dTarget = {},
): Tensor<"f32"> {
  const { relu = false } = options;
  const sizes = conv2dSizes(x.shape, weight.shape, bias?.shape, options);
  for (const [what, tensor] of Object.entries({ x, weight, bias: bias ?? x })) {
    expectDType("conv2d", what, tensor, "f32");
  }
  const shape = [sizes.n, sizes.o, sizes.oh, sizes.ow];
  const out = output(recorder, "conv2d", shape, options);
  const problem = forwardCorrelation(sizes, { hasBias: bias !== undefined, relu });
  const own = problemOf(
    conv2dChoice("forward", sizes, recorder.device.capabilities),
    multiplyAdds(sizes),
    [[x, 0], [weight], ...(bias ? [[bias] as const] : [])],
    (again, [x, weight, bias], variant) => conv2d(again, x, weight, bias, { ...options, out: undefined, variant }),
  );
  const forced = forcedVariant("conv2d", options.variant, conv2dVariants);
  const variant = forced ?? chooseConv2d("forward", sizes, recorder.device.capabilities);
  const launch = {
    kernel: "conv2d",
    problem: forced ? undefined : own,
    reads: [x, weight, bias ?? weight],
    reference: () => {
      conv2dReference(hostArray(x), hostArray(weight), bias && hostArray(bias), hostArray(out), sizes, relu);
    },
    plan: (capabilities: Capabilities) => planCorrelation(variant, problem, capabilities),
  };
  addInParts(recorder, launch, out, correlationSplit(variant, problem).parts, { bias, channelAxis: 1, relu });
  return out;
}

/**
 * The gradient of conv2d's x, of shape `inputShape` [N, C, H, W], from that of its result, `dOut` [N, O, OH, OW], and
 * `weight` [O, C, KH, KW]. ReLU is not undone here: give the gradient of what stood before it.
 * Whether an infinity or a NaN of `weight` times what lies outside `dOut` is NaN is left to the variant.
 * `out` is wholly overwritten.
 * @throws ShapeError where the shapes or options do not fit, DTypeError where a tensor is not f32, InputError where
 * `variant` is none; recording throws DeviceError where it asks for what the device has not.
 */
export function conv2dInputGradient(
  recorder: Recorder,
  dOut: Tensor<"f32">,
  weight: Tensor<"f32">,
  inputShape: Shape,
  options: Conv2dOptions & Conv2dTarget = {},
): Tensor<"f32"> {
  const sizes = conv2dGradientSizes("conv2dInputGradient", inputShape, weight.shape, dOut.shape, options);
  for (const [what, tensor] of Object.entries({ dOut, weight })) {
    expectDType("conv2dInputGradient", what, tensor, "f32");
  }
  const out = output(recorder, "conv2dInputGradient", inputShape, options);
  const problem = inputGradientCorrelation(sizes);
  const own = problemOf(
    conv2dChoice("inputGradient", sizes, recorder.device.capabilities),
    multiplyAdds(sizes),
    [[dOut, 0], [weight]],
    (again, [dOut, weight], variant) => {
      const shape = [dOut.shape[0], ...inputShape.slice(1)];
      return conv2dInputGradient(again, dOut, weight, shape, { ...options, out: undefined, variant });
    },
  );
  const forced = forcedVariant("conv2dInputGradient", options.variant, conv2dVariants);
  const variant = forced ?? chooseConv2d("inputGradient", sizes, recorder.device.capabilities);
  const launch = {
    kernel: "conv2dInputGradient",
    problem: forced ? undefined : own,
    reads: [dOut, weight, weight],
    reference: () => {
      conv2dInputGradientReference(hostArray(dOut), hostArray(weight), hostArray(out), sizes);
    },
    plan: (capabilities: Capabilities) => planCorrelation(variant, problem, capabilities),
  };
  addInParts(recorder, launch, out, correlationSplit(variant, problem).parts, { channelAxis: 1, relu: false });
  return out;
}
