import { hostArray } from "../../tensor/cpu/device.js";
import type { Recorder } from "../../tensor/recording.js";
import { expectRank, expectShape } from "../../tensor/shape.js";
import { expectDType, type Tensor } from "../../tensor/tensor.js";
import { crossEntropySizes, crossEntropyTemperature, scoreSizes, type CrossEntropyOptions } from "./contract.js";
import { planAccumulateMean, planArgmax, planCountEqual, planSoftmax, planSoftmaxCrossEntropy } from "./plan.js";
import {
  accumulateMeanReference,
  argmaxReference,
  countEqualReference,
  softmaxCrossEntropyReference,
  softmaxReference,
} from "./reference.js";

export {
  crossEntropySizes,
  crossEntropyTemperature,
  scoreSizes,
  type CrossEntropyOptions,
  type ScoreSizes,
} from "./contract.js";
export { planAccumulateMean, planArgmax, planCountEqual, planSoftmax, planSoftmaxCrossEntropy } from "./plan.js";
export {
  accumulateMeanReference,
  argmaxReference,
  countEqualReference,
  softmaxCrossEntropyReference,
  softmaxReference,
} from "./reference.js";

/**
 * Probabilities of the classes: softmax over the last axis of `logits` [B, K], to [B, K]. Stable for logits of any
 * size; a logit of −∞ has probability 0; a row with NaN or +∞, or of nothing but −∞, is NaN throughout.
 * @throws ShapeError where `logits` has not two axes, DTypeError where it is not f32.
 */
export function softmax(recorder: Recorder, logits: Tensor<"f32">): Tensor<"f32"> {
  const sizes = scoreSizes("softmax", "logits", logits.shape);
  expectDType("softmax", "logits", logits, "f32");
  const out = recorder.temporary(logits.shape, "softmax");
  recorder.add({
    kernel: "softmax",
    reads: [logits],
    writes: [out],
    reference: () => {
      softmaxReference(hostArray(logits), hostArray(out), sizes);
    },
    plan: () => planSoftmax(sizes),
  });
  return out;
}

/**
 * The loss of `logits` [B, K] against soft `targets` [B, K], in nats, and its gradient: `losses` [B] holds
 * −Σ_k t_k · ln softmax(logits)_k of each row, `gradient` [B, K] the derivative of the losses' MEAN by the logits.
 * Stable for logits of any size; targets of 0 contribute 0, even where the logit is −∞; targets need not sum to 1.
 * At a temperature T the softmax is that of logits / T, and loss and gradient are T² times as large, by which they stay
 * of one size at any T (Hinton et al. 2015, section 2): the targets are then expected to be softened likewise.
 * @throws ShapeError where `logits` has not two axes or `targets` another shape, DTypeError where one of them is not
 * f32, InputError where the temperature is not above 0.
 */
export function softmaxCrossEntropy(
  recorder: Recorder,
  logits: Tensor<"f32">,
  targets: Tensor<"f32">,
  options: CrossEntropyOptions = {},
): { losses: Tensor<"f32">; gradient: Tensor<"f32"> } {
  const sizes = crossEntropySizes(logits.shape, targets.shape);
  for (const [what, tensor] of Object.entries({ logits, targets })) {
    expectDType("softmaxCrossEntropy", what, tensor, "f32");
  }
  const temperature = crossEntropyTemperature(options);
  const losses = recorder.temporary([sizes.rows], "losses");
  const gradient = recorder.temporary(logits.shape, "logits' gradient");
  recorder.add({
    kernel: "softmaxCrossEntropy",
    reads: [logits, targets],
    writes: [losses, gradient],
    reference: () => {
      softmaxCrossEntropyReference(
        hostArray(logits),
        hostArray(targets),
        hostArray(losses),
        hostArray(gradient),
        sizes,
        temperature,
      );
    },
    plan: () => planSoftmaxCrossEntropy(sizes, temperature),
  });
  return { losses, gradient };
}

/**
 * total += mean of `values`, in place: gathers the losses of an epoch on the device. `values` is [B], `total` [1].
 * @throws ShapeError where `values` has not one axis or `total` is not [1], DTypeError where one of them is not f32.
 */
export function accumulateMean(recorder: Recorder, values: Tensor<"f32">, total: Tensor<"f32">): void {
  expectRank("accumulateMean", "values", values.shape, "B");
  expectShape("accumulateMean", "total", total.shape, [1]);
  for (const [what, tensor] of Object.entries({ values, total })) expectDType("accumulateMean", what, tensor, "f32");
  recorder.add({
    kernel: "accumulateMean",
    reads: [values],
    writes: [total],
    reference: () => {
      accumulateMeanReference(hostArray(values), hostArray(total));
    },
    plan: () => planAccumulateMean(values.size),
  });
}

/**
 * The class of each row of `x`, `[B, K]`: the first k with the largest value, as u32 [B]. A NaN counts as the largest.
 * @throws ShapeError where x has not two axes, DTypeError where it is not f32.
 */
export function argmax(recorder: Recorder, x: Tensor<"f32">): Tensor<"u32"> {
  const sizes = scoreSizes("argmax", "x", x.shape);
  expectDType("argmax", "x", x, "f32");
  const out = recorder.temporary([sizes.rows], "argmax", "u32");
  recorder.add({
    kernel: "argmax",
    reads: [x],
    writes: [out],
    reference: () => {
      argmaxReference(hostArray(x), hostArray(out), sizes);
    },
    plan: () => planArgmax(sizes),
  });
  return out;
}

/**
 * total += the number of places where `a` and `b` are equal, in place: counts right answers on the device. `a` and `b`
 * are u32 [B], `total` u32 [1].
 * @throws ShapeError where `a` has not one axis, `b` another shape, or `total` is not [1]; DTypeError where one of them
 * is not u32.
 */
export function countEqual(recorder: Recorder, a: Tensor<"u32">, b: Tensor<"u32">, total: Tensor<"u32">): void {
  expectRank("countEqual", "a", a.shape, "B");
  expectShape("countEqual", "b", b.shape, a.shape);
  expectShape("countEqual", "total", total.shape, [1]);
  for (const [what, tensor] of Object.entries({ a, b, total })) expectDType("countEqual", what, tensor, "u32");
  recorder.add({
    kernel: "countEqual",
    reads: [a, b],
    writes: [total],
    reference: () => {
      countEqualReference(hostArray(a), hostArray(b), hostArray(total));
    },
    plan: () => planCountEqual(a.size),
  });
}
