import { hostArray } from "../../tensor/cpu/device.js";
import type { Capabilities } from "../../tensor/device.js";
import type { Recorder } from "../../tensor/recording.js";
import { expectDType, type Tensor } from "../../tensor/tensor.js";
import { addInParts } from "../gemm/sum-parts.js";
import { toFloat } from "../half/index.js";
import { matmulSizes, type MatmulOptions } from "../matmul/contract.js";
import { matmul } from "../matmul/index.js";
import { matmulSplit } from "../matmul/params.js";
import { output, type Target } from "../output.js";
import { forcedVariant } from "../variant.js";
import { chooseMatmulHalf, matmulHalfVariants, type MatmulHalfVariant } from "./choice.js";
import { planMatmulHalf } from "./plan.js";
import { matmulHalfReference } from "./reference.js";

export { chooseMatmulHalf, matmulHalfChoice, type MatmulHalfVariant } from "./choice.js";
export { planMatmulHalf, type HalfProgram } from "./plan.js";
export { matmulHalfReference } from "./reference.js";

/** Where the result goes and which variant makes it. */
export interface MatmulHalfTarget extends Target {
  /** Instead of the variant that fits the device: for tests and benchmarks. */
  variant?: MatmulHalfVariant;
}

/**
 * C = A·B + bias with operands of 16 bits: A is [M, K], B [K, N] (each transposed where the options say so), both f16;
 * sums, `bias` [N] and the result [M, N] are f32; then ReLU where asked. `out` is wholly overwritten. Operands below
 * 2^-14 may count as 0 where the device's f16 has no smaller numbers.
 * @throws ShapeError where the shapes do not fit, DTypeError where a tensor is of another type, InputError where
 * `variant` is none; recording throws DeviceError where it asks for what the device has not.
 */
export function matmulHalf(
  recorder: Recorder,
  a: Tensor<"f16">,
  b: Tensor<"f16">,
  bias?: Tensor<"f32">,
  options: MatmulOptions & MatmulHalfTarget = {},
): Tensor<"f32"> {
  const sizes = matmulSizes(a.shape, b.shape, bias?.shape, options, "matmulHalf");
  for (const [what, tensor] of Object.entries({ a, b })) expectDType("matmulHalf", what, tensor, "f16");
  if (bias) expectDType("matmulHalf", "bias", bias, "f32");
  const out = output(recorder, "matmulHalf", [sizes.m, sizes.n], options);
  const forced = forcedVariant("matmulHalf", options.variant, matmulHalfVariants);
  const variant = forced ?? chooseMatmulHalf(sizes, options, recorder.device.capabilities);
  const { transposeA, transposeB, relu = false } = options;
  if (variant === "widened") {
    return matmul(recorder, toFloat(recorder, a), toFloat(recorder, b), bias, { transposeA, transposeB, relu, out });
  }
  const launch = {
    kernel: "matmulHalf",
    reads: [a, b, bias ?? a],
    reference: () => {
      matmulHalfReference(hostArray(a), hostArray(b), bias && hostArray(bias), hostArray(out), sizes, options);
    },
    plan: (capabilities: Capabilities) => planMatmulHalf(variant, sizes, options, bias !== undefined, capabilities),
  };
  const { parts } = matmulSplit(variant, sizes);
  addInParts(recorder, launch, out, parts, { bias, channelAxis: 1, relu });
  return out;
}
