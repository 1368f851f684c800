import { InputError } from "../../errors.js";
import { hostArray } from "../../tensor/cpu/device.js";
import type { Recorder } from "../../tensor/recording.js";
import type { Tensor } from "../../tensor/tensor.js";
import { expectCounter, expectUint32 } from "../expect.js";
import { WHOLE_WEIGHT } from "./contract.js";
import { drawWeight } from "./draws.js";
import { planDrawWeights } from "./plan.js";

/** How the weights of mixes are drawn. */
export interface DrawWeightsOptions {
  /** Probability that a row is mixed at all, 0 to 1. */
  readonly share: number;
  /** 0 to 2^32 − 1. */
  readonly seed: number;
  /** Step number, u32 [1]: weights are drawn anew at each. */
  readonly counter: Tensor<"u32">;
}

/**
 * Random weights for {@link blend}, f32 [`count`]: with probability `share` uniform in [0, 1), which is Beta(1, 1) of
 * mixup (Zhang, Cissé, Dauphin, Lopez-Paz, "mixup: beyond empirical risk minimization", ICLR 2018), else 1.
 * @throws InputError where the share is not in 0 to 1, or the seed not of 32 bits; ShapeError where the counter is not
 * [1]; DTypeError where it is not u32.
 */
export function drawWeights(
  recorder: Recorder,
  count: number,
  { share, seed, counter }: DrawWeightsOptions,
): Tensor<"f32"> {
  if (!(share >= 0 && share <= 1)) {
    throw new InputError(`drawWeights: share is ${share}; expected a number from 0 to 1`);
  }
  expectUint32("drawWeights", "seed", seed);
  expectCounter("drawWeights", counter);
  const fixed = Math.round(share * WHOLE_WEIGHT);
  const out = recorder.temporary([count], "drawWeights");
  recorder.add({
    kernel: "drawWeights",
    reads: [counter],
    writes: [out],
    reference: () => {
      const [step] = hostArray(counter);
      hostArray(out).forEach((_, element, weights) => {
        weights[element] = drawWeight(element, step, seed, fixed);
      });
    },
    plan: () => planDrawWeights(count, fixed, seed),
  });
  return out;
}
