import { InputError } from "../errors.js";
import type { Capabilities } from "../tensor/device.js";
import type { Problem } from "../tensor/problem.js";
import type { Recorder } from "../tensor/recording.js";
import type { Tensor } from "../tensor/tensor.js";

/** Which variants of a kernel can run a problem on a device, and which of them does where nothing was measured. */
export interface Choice<Variant extends string> {
  /** Names the problem, its sizes included, among those that are measured: `matmul 64x10x84 nt`. */
  readonly key: string;
  /** Variants that the device can run. */
  readonly candidates: readonly Variant[];
  /** One of them, by a rule. */
  readonly byRule: Variant;
}

/**
 * The variant to run: the one that measuring on the device found fastest, else that of the rule. A winner that the
 * device cannot run, as one of another release, counts for nothing.
 */
export function chosenVariant<Variant extends string>(
  { key, candidates, byRule }: Choice<Variant>,
  { tuned }: Pick<Capabilities, "tuned">,
): Variant {
  return candidates.find((candidate) => candidate === tuned[key]) ?? byRule;
}

/**
 * The variant that a call forces, if it does.
 * @throws InputError where the kernel has no such variant
 */
export function forcedVariant<Variant extends string>(
  kernel: string,
  forced: Variant | undefined,
  known: readonly Variant[],
): Variant | undefined {
  if (forced === undefined || known.includes(forced)) return forced;
  throw new InputError(`${kernel}: variant is "${forced}"; expected one of ${known.join(", ")}`);
}

/** An input of a {@link Problem}, with the axis along which it falls into the problem's parts, if it does. */
export type ProblemInput = readonly [tensor: Tensor, axis?: number];

/**
 * The problem that a call of a kernel solves, so that tuning can solve it again.
 * @param record calls the kernel anew with the given variant, and without `out`
 */
export function problemOf<Variant extends string>(
  choice: Choice<Variant>,
  multiplyAdds: number,
  inputs: readonly ProblemInput[],
  record: (recorder: Recorder, inputs: readonly Tensor<"f32">[], variant: Variant) => Tensor,
): Problem {
  return {
    ...choice,
    multiplyAdds,
    inputs: inputs.map(([{ shape, dtype }]) => ({ shape, dtype })),
    axes: inputs.map(([, axis]) => axis),
    record: record as Problem["record"],
  };
}
