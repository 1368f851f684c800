/** Finding out which variants of the kernels are the fastest on a device. */
import type { Device, TunedVariants } from "../../tensor/device.js";
import { tuningKey, variantsOf } from "./tuning.js";

export { millisecondsOf, winnerOf, type Measured, type Timing } from "./measured.js";
export { problemsOf } from "./problems.js";
export { defaultSampling, type Sampling } from "./sample.js";
export { tune, type TuneOptions } from "./tune.js";
export {
  decodeTuning,
  encodeTuning,
  tuningKey,
  variantsOf,
  withMeasured,
  type Tuning,
  type TuningKey,
} from "./tuning.js";

/**
 * The variants that `activemixup tune` found to be the fastest on the device; none where it was not tuned. In Node.
 *
 *     const device = await openDevice("auto", { tuned: rememberedVariants });
 */
export async function rememberedVariants(device: Device): Promise<TunedVariants> {
  if (device.info.kind === "cpu") return {};
  const { readTuning } = await import("./store.node.js");
  const { tuning } = await readTuning(await tuningKey(device));
  return tuning ? variantsOf(tuning) : {};
}
