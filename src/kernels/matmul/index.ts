import { hostArray } from "../../tensor/cpu/device.js";
import type { Capabilities } from "../../tensor/device.js";
import type { Recorder } from "../../tensor/recording.js";
import { expectDType, type Tensor } from "../../tensor/tensor.js";
import { addInParts } from "../gemm/sum-parts.js";
import { output, type Target } from "../output.js";
import { forcedVariant, problemOf } from "../variant.js";
import { chooseMatmul, matmulChoice, matmulVariants, type MatmulVariant } from "./choice.js";
import { matmulSizes, type MatmulOptions } from "./contract.js";
import { matmulSplit } from "./params.js";
import { planMatmul } from "./plan.js";
import { matmulReference } from "./reference.js";

export { chooseMatmul, matmulChoice, type MatmulVariant } from "./choice.js";
export { matmulSizes, type MatmulOptions, type MatmulSizes } from "./contract.js";
export { planMatmul } from "./plan.js";
export { matmulReference } from "./reference.js";

/** Where the result goes and which variant makes it. */
export interface MatmulTarget extends Target {
  /** Instead of the variant that fits the device: for tests and benchmarks. */
  variant?: MatmulVariant;
}

/**
 * C = A·B + bias: A is [M, K], B [K, N] (each transposed where the options say so), `bias` [N], the result [M, N],
 * all f32; then ReLU where asked. `out` is wholly overwritten.
 * @throws ShapeError where the shapes do not fit, DTypeError where a tensor is not f32, InputError where `variant`
 * is none; recording throws DeviceError where it asks for what the device has not.
 */
export function matmul(
  recorder: Recorder,
  a: Tensor<"f32">,
  b: Tensor<"f32">,
  bias?: Tensor<"f32">,
  options: MatmulOptions & MatmulTarget = {},
): Tensor<"f32"> {
  const sizes = matmulSizes(a.shape, b.shape, bias?.shape, options);
  for (const [what, tensor] of Object.entries({ a, b, bias: bias ?? a })) expectDType("matmul", what, tensor, "f32");
  const out = output(recorder, "matmul", [sizes.m, sizes.n], options);
  const problem = problemOf(
    matmulChoice(sizes, options, recorder.device.capabilities),
    sizes.m * sizes.n * sizes.k,
    [[a, options.transposeA ? 1 : 0], [b], ...(bias ? [[bias] as const] : [])],
    (again, [a, b, bias], variant) => matmul(again, a, b, bias, { ...options, out: undefined, variant }),
  );
  const forced = forcedVariant("matmul", options.variant, matmulVariants);
  const variant = forced ?? chooseMatmul(sizes, options, recorder.device.capabilities);
  const launch = {
    kernel: "matmul",
    problem: forced ? undefined : problem,
    reads: [a, b, bias ?? a],
    reference: () => {
      matmulReference(hostArray(a), hostArray(b), bias && hostArray(bias), hostArray(out), sizes, options);
    },
    plan: (capabilities: Capabilities) => planMatmul(variant, sizes, options, bias !== undefined, capabilities),
  };
  const { parts } = matmulSplit(variant, sizes);
  addInParts(recorder, launch, out, parts, { bias, channelAxis: 1, relu: options.relu ?? false });
  return out;
}
