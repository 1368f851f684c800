import { hostArray } from "../../tensor/cpu/device.js";
import type { Launch } from "../../tensor/launch.js";
import type { Recorder } from "../../tensor/recording.js";
import type { Tensor } from "../../tensor/tensor.js";
import { pairSizes, selectSize, type ScorePairsOptions } from "./contract.js";
import { DIGIT_SHIFTS, planScorePairs, planSelect, selectBlocks } from "./plan.js";
import { scorePairsReference, selectLowestReference } from "./reference.js";

export { pairSizes, type PairSizes, type ScorePairsOptions } from "./contract.js";
export { planScorePairs, planSelect } from "./plan.js";
export { scorePairsReference, selectLowestReference, type HostPairs } from "./reference.js";

/**
 * Scores the batch of candidates that the counter stands at (step 3 of the method). `logits` is [P·L, K], all λ of a
 * candidate next to each other. A candidate's score is the smallest, over λ, of the largest softmax probability, in
 * (0, 1]; its choice the first λ index that attains it. Where `single` there is one row a candidate and the choice is
 * the λ index drawn for it, as in candidateBlends. Where the softmax of one of its rows is NaN a candidate scores
 * +Infinity, and its choice is the first such λ. Taken candidates score NaN, so that selectLowest takes them last of all.
 * Writes to counter · P + p of `scores` and `choices`, in place, where that is below the pool's size.
 * @throws ShapeError where `logits` is not a whole number of candidates' rows [P·L, K], `counter` not [1], `taken` or
 * `choices` not shaped as `scores` [pool], or `lambdas` not a whole number from 1 up; DTypeError where `logits` or
 * `scores` is not f32, or `counter`, `taken` or `choices` not u32; InputError where the seed is not of 32 bits.
 */
export function scorePairs(recorder: Recorder, logits: Tensor<"f32">, options: ScorePairsOptions): void {
  const sizes = pairSizes(logits, options);
  const { counter, taken, scores, choices, lambdas, single } = options;
  recorder.add({
    kernel: "scorePairs",
    reads: [logits, counter, taken],
    writes: [scores, choices],
    reference: () => {
      scorePairsReference(hostArray(logits), sizes, {
        step: hostArray(counter)[0],
        taken: hostArray(taken),
        scores: hostArray(scores),
        choices: hostArray(choices),
        lambdas,
        single,
      });
    },
    plan: () => planScorePairs(sizes, options),
  });
}

/**
 * Indices of the k lowest of `scores` [N], u32 [k], ascending (step 4 of the method). Exact and repeatable: of equal
 * scores those of lower index are selected, −0 equals 0, NaN ranks last, after +Infinity: taken candidates are selected
 * only where fewer than k are not.
 *
 * On the device a radix selection: the k-th lowest score is found 8 bits at a time from histograms, then the indices
 * are compacted in two passes over blocks of scores.
 * @throws ShapeError where `scores` has not one axis, DTypeError where it is not f32, InputError where k is not a whole
 * number from 1 to N.
 */
export function selectLowest(recorder: Recorder, scores: Tensor<"f32">, k: number): { indices: Tensor<"u32"> } {
  const count = selectSize(scores, k);
  const indices = recorder.temporary([k], "selectLowest", "u32");
  // The key and rank of the k-th lowest, and 256 bins.
  const selection = recorder.temporary([2 + 256], "selection", "u32");
  // Of each block, the keys below the k-th lowest and those equal to it.
  const counts = recorder.temporary([2 * selectBlocks(count)], "block counts", "u32");
  const launch = (step: Omit<Launch, "kernel" | "reference">, reference: () => void = nothing) => {
    recorder.add({ kernel: "selectLowest", reference, ...step });
  };

  launch({ reads: [], writes: [selection], plan: () => planSelect.reset(k) });
  for (const shift of DIGIT_SHIFTS) {
    launch({ reads: [scores], writes: [selection], plan: () => planSelect.histogram(count, shift) });
    launch({ reads: [], writes: [selection], plan: () => planSelect.choose(shift) });
  }
  launch({ reads: [scores, selection], writes: [counts], plan: () => planSelect.count(count) });
  launch({ reads: [], writes: [counts], plan: () => planSelect.starts(count) });
  launch({ reads: [scores, selection, counts], writes: [indices], plan: () => planSelect.compact(count) }, () => {
    selectLowestReference(hostArray(scores), hostArray(indices));
  });
  return { indices };
}

/** The steps before the last have no reference: that of the last defines the whole selection. */
const nothing = () => undefined;
