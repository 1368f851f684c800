import { hostArray } from "../../tensor/cpu/device.js";
import type { Launch } from "../../tensor/launch.js";
import type { Recorder } from "../../tensor/recording.js";
import type { Tensor } from "../../tensor/tensor.js";
import { selectSize } from "./contract.js";
import { DIGIT_SHIFTS, planSelect, selectBlocks } from "./plan.js";
import { selectLowestReference } from "./reference.js";

export {
  beliefSizes,
  memberSizes,
  pairSizes,
  scoreNames,
  type Belief,
  type PairSizes,
  type ScoreName,
  type ScoreNoise,
  type ScorePairsOptions,
  type ScoreTable,
} from "./contract.js";
export { drawGumbel, gumbel } from "./gumbel.js";
export { planAddBelief, planScoreBelief, planScorePairs, planSelect } from "./plan.js";
export {
  addBeliefReference,
  scoreBeliefReference,
  scorePairsReference,
  selectLowestReference,
  type HostPairs,
  type HostTable,
} from "./reference.js";
export { addBelief, scoreBelief, scorePairs } from "./score.js";

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
