import { hostArray } from "../../tensor/cpu/device.js";
import type { Recorder } from "../../tensor/recording.js";
import type { Tensor } from "../../tensor/tensor.js";
import {
  beliefSizes,
  memberSizes,
  pairSizes,
  type Belief,
  type ScorePairsOptions,
  type ScoreTable,
} from "./contract.js";
import { planAddBelief, planScoreBelief, planScorePairs } from "./plan.js";
import { addBeliefReference, scoreBeliefReference, scorePairsReference, type HostTable } from "./reference.js";

/**
 * Scores the batch of candidates that the counter stands at (step 3 of the method). `logits` is [P·L, K], all λ of a
 * candidate next to each other. A candidate's score is the smallest, over λ, of what `score` makes of a row
 * ({@link ScoreName}; as published, the largest softmax probability, in (0, 1]); its choice the first λ index that
 * attains it. Where `single` there is one row a candidate and the choice is the λ index drawn for it, as in
 * candidateBlends. Where the softmax of one of its rows is NaN a candidate scores +Infinity, and its choice is the first
 * such λ. Taken candidates score NaN, so that selectLowest takes them last of all. Writes to counter · P + p of `scores`
 * and `choices`, in place, where that is below the pool's size. Logits of any size are in order.
 *
 * With `noise` the score becomes −(ln(1 − p) + G), where p is the confidence at the λ that was chosen without noise and
 * G is Gumbel(0, 1), a number for each candidate and value of the noise's counter. The k lowest are then a sample of k
 * without replacement, each drawn with a probability in proportion to 1 − p among those left (the Gumbel-top-k trick:
 * Kool, van Hoof, Welling, ICML 2019, arXiv 1903.06059). A candidate without doubt, 1 − p = 0, which takes logits of −∞,
 * scores +Infinity. Logarithms differ between devices in their last bits, so two devices may draw other candidates where
 * scores all but tie; the same device draws the same again.
 * @throws ShapeError where `logits` is not a whole number of candidates' rows [P·L, K], a counter not [1], `taken` or
 * `choices` not shaped as `scores` [pool], or `lambdas` not a whole number from 1 up; DTypeError where `logits` or
 * `scores` is not f32, or a counter, `taken` or `choices` not u32; InputError where a seed is not of 32 bits, there is no
 * such score, or noise with a score other than confidence.
 */
export function scorePairs(recorder: Recorder, logits: Tensor<"f32">, options: ScorePairsOptions): void {
  const sizes = pairSizes(logits, options);
  const { counter, taken, scores, choices, score, noise } = options;
  recorder.add({
    kernel: "scorePairs",
    reads: [logits, counter, taken, noise?.counter ?? counter],
    writes: [scores, choices],
    reference: () => {
      scorePairsReference(hostArray(logits), sizes, {
        ...hostTable(options),
        score,
        noise: noise && { seed: noise.seed, round: hostArray(noise.counter)[0] },
      });
    },
    plan: () => planScorePairs(sizes, options),
  });
}

/**
 * Adds what one member of a committee says, `logits` [rows, K], to what was added before: its probabilities and their
 * entropy. Members are networks, or passes of one with dropout; however many they are, there is one sum, so nothing grows
 * with their number.
 * @param belief what the others said; this member is the first where absent
 * @returns the same sums, one member more
 * @throws ShapeError where `logits` has not two axes or the sums are not [rows, K + 1], DTypeError where one of them is
 * not f32.
 */
export function addBelief(recorder: Recorder, logits: Tensor<"f32">, belief?: Belief): Belief {
  const sizes = memberSizes(logits, belief);
  const sums = belief?.sums ?? recorder.temporary([sizes.rows, sizes.classes + 1], "belief");
  const add = belief !== undefined;
  recorder.add({
    kernel: "addBelief",
    reads: [logits],
    writes: [sums],
    reference: () => {
      addBeliefReference(hostArray(logits), hostArray(sums), sizes, add);
    },
    plan: () => planAddBelief(sizes, add),
  });
  return { sums, members: (belief?.members ?? 0) + 1 };
}

/**
 * Scores the batch of candidates that the counter stands at by how much the members of `belief` disagree, of P·L rows as
 * in scorePairs: the lower the more. A row's score is mean entropy − entropy of the mean probabilities, in [−ln K, 0]
 * nats: the mutual information of label and member, negated (BALD: Houlsby, Huszár, Ghahramani, Lengyel 2011, arXiv
 * 1112.5745). λ, NaN, taken candidates and where it writes are as in {@link scorePairs}.
 * @throws what scorePairs throws, of `sums` [P·L, K + 1]; InputError where there are fewer than two members.
 */
export function scoreBelief(recorder: Recorder, belief: Belief, table: ScoreTable): void {
  const sizes = beliefSizes(belief, table);
  const { sums, members } = belief;
  const { counter, taken, scores, choices } = table;
  recorder.add({
    kernel: "scoreBelief",
    reads: [sums, counter, taken, counter],
    writes: [scores, choices],
    reference: () => {
      scoreBeliefReference(hostArray(sums), members, sizes, hostTable(table));
    },
    plan: () => planScoreBelief(sizes, members, table),
  });
}

function hostTable({ counter, taken, scores, choices, lambdas, single }: ScoreTable): HostTable {
  return {
    step: hostArray(counter)[0],
    taken: hostArray(taken),
    scores: hostArray(scores),
    choices: hostArray(choices),
    lambdas,
    single,
  };
}
