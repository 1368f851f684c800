import type { Capabilities } from "../tensor/device.js";

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
