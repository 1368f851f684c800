import { InputError } from "../src/errors.js";
import { tuningKey, variantsOf } from "../src/kernels/index.js";
import { readTuning } from "../src/kernels/tune/store.node.js";
import type { Device, TunedVariants } from "../src/tensor/index.js";
import type { Profile } from "./report.js";

/**
 * The variants that `activemixup tune` found on the device with these toggles.
 * @throws InputError where nothing is measured, or what was cannot be used: rows of the rule's variants would pass for
 * tuned ones.
 */
export async function measuredVariants(device: Device, profile: Profile): Promise<TunedVariants> {
  const { tuning, damage } = await readTuning(await tuningKey(device));
  if (tuning) return variantsOf(tuning);
  throw new InputError(
    `--tuned: ${damage ?? `nothing is measured yet on ${device.info.adapter} with --profile ${profile}`}; ` +
      `measure by \`activemixup tune --profile ${profile}\`, or leave --tuned out`,
  );
}
