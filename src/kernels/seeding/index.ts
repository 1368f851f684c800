import { hostArray } from "../../tensor/cpu/device.js";
import type { Recorder } from "../../tensor/recording.js";
import type { Tensor } from "../../tensor/tensor.js";
import { embedSizes, pickSizes, type EmbedGradientsOptions, type PickSeedOptions } from "./contract.js";
import { planEmbedGradients, planPick } from "./plan.js";
import { drawReference, embedGradientsReference, nearestReference } from "./reference.js";

export { embeddingShape, type EmbeddingSizes, type EmbedGradientsOptions, type PickSeedOptions } from "./contract.js";
export { planEmbedGradients, planPick } from "./plan.js";
export { drawReference, drawShare, embedGradientsReference, nearestReference, type HostSeeding } from "./reference.js";

/**
 * The gradient embeddings (Ash et al., "Deep Batch Active Learning by Diverse, Uncertain Gradient Lower Bounds", ICLR
 * 2020) of the batch of candidates that the counter stands at: the gradient of the cross-entropy with the class that
 * the network holds most likely, with respect to its last layer, is a ⊗ [b, 1] with a = softmax(logits) − onehot(argmax)
 * [K] and b the features [F]. Kept are a, b and the squared norm, ‖a‖² · (‖b‖² + 1): a column of `embeddings` for
 * candidate counter · B + p, where that is below `candidates`. The outer product is never built.
 *
 * Of a candidate with a logit or a feature that is no finite number the column is 0 and the squared norm NaN.
 * @param logits [B, K]
 * @param features [B, F], the input of the network's last linear layer
 * @throws ShapeError where `logits` or `features` has not two axes, `features` another number of rows, `counter` is not
 * [1], `embeddings` not of embeddingShape, or `candidates` not a whole number from 1 up; DTypeError where `counter` is
 * not u32 or another not f32.
 */
export function embedGradients(
  recorder: Recorder,
  logits: Tensor<"f32">,
  features: Tensor<"f32">,
  options: EmbedGradientsOptions,
): void {
  const sizes = embedSizes(logits, features, options);
  const { counter, embeddings } = options;
  recorder.add({
    kernel: "embedGradients",
    reads: [logits, features, counter],
    writes: [embeddings],
    reference: () => {
      embedGradientsReference(
        hostArray(logits),
        hostArray(features),
        sizes,
        hostArray(counter)[0],
        hostArray(embeddings),
      );
    },
    plan: () => planEmbedGradients(sizes),
  });
}

/**
 * One pick of k-means++ seeding (Arthur and Vassilvitskii, 2007) among embeddings as embedGradients makes them: of the
 * candidates the one of largest norm at first, then each with a probability proportional to its squared distance to
 * the nearest of those chosen before. The picked number is appended to `chosen` and the counter goes up by 1, so that k
 * runs of one recording, from a counter of 0, choose k. A run with a full `chosen` changes nothing in it.
 *
 * Squared distances come from ‖x_i‖² + ‖x_c‖² − 2 ⟨a_i, a_c⟩ (⟨b_i, b_c⟩ + 1), are taken for 0 where rounding makes them
 * negative or they are no finite number, and for 1e30 where they are larger, so that their sums are finite. No candidate
 * is chosen twice, and none at distance 0 unless all are: then the lowest number that is not chosen yet.
 *
 * Repeats to the bit on one device. Between devices the sums are rounded differently, and a pick that falls on the edge
 * between two candidates may differ, and with it those that follow.
 * @param embeddings of embeddingShape
 * @throws ShapeError where `embeddings`, `nearest` or `centre` is not of the shape that `candidates` and `classes` ask
 * for, `counter` or `round` not [1], `chosen` without one axis or longer than there are candidates; DTypeError where
 * one is of another element type; InputError where the seed is not of 32 bits.
 */
export function pickSeed(recorder: Recorder, embeddings: Tensor<"f32">, options: PickSeedOptions): void {
  const sizes = pickSizes(embeddings, options);
  const { seed, round, counter, chosen, nearest, centre } = options;
  const host = () => ({
    seed,
    round: hostArray(round),
    counter: hostArray(counter),
    chosen: hostArray(chosen),
    nearest: hostArray(nearest),
    centre: hostArray(centre),
  });
  recorder.add({
    kernel: "pickSeed",
    reads: [embeddings, centre, counter, chosen],
    writes: [nearest],
    reference: () => {
      nearestReference(hostArray(embeddings), sizes, host());
    },
    plan: () => planPick.nearest(sizes),
  });
  recorder.add({
    kernel: "pickSeed",
    reads: [embeddings, nearest, round],
    writes: [counter, chosen, centre],
    reference: () => {
      drawReference(hostArray(embeddings), sizes, host());
    },
    plan: () => planPick.draw(sizes, seed),
  });
}
