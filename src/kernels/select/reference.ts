import { drawLambda } from "../mixup/draws.js";
import type { PairSizes } from "./contract.js";

/** What scorePairs reads and writes, on the host. */
export interface HostPairs {
  /** The counter's value. */
  readonly step: number;
  readonly taken: Uint32Array;
  readonly scores: Float32Array;
  readonly choices: Uint32Array;
  readonly lambdas: number;
  readonly single: { readonly seed: number } | undefined;
}

/**
 * Defines scorePairs: a pair's score is the smallest confidence over its blends, the first where several attain it;
 * +Infinity where any is NaN, and then the choice is the first of those; NaN where the pair is taken.
 */
export function scorePairsReference(logits: Float32Array, sizes: PairSizes, pairs: HostPairs): void {
  const { batch, perPair, classes, pool } = sizes;
  const { step, taken, scores, choices, lambdas, single } = pairs;
  for (let p = 0; p < batch; p++) {
    const candidate = step * batch + p;
    if (candidate >= pool) return;
    let score = Infinity;
    let choice = 0;
    for (let l = 0; l < perPair; l++) {
      const row = (p * perPair + l) * classes;
      const confidence = Math.fround(largestProbability(logits, row, classes));
      if (Number.isNaN(confidence)) {
        score = Infinity;
        choice = l;
        break;
      }
      if (confidence < score) {
        score = confidence;
        choice = l;
      }
    }
    scores[candidate] = taken[candidate] !== 0 ? NaN : score;
    choices[candidate] = single ? drawLambda(candidate, single.seed, lambdas) : choice;
  }
}

/** Largest probability of the softmax of one row: 1 / Σ exp(z − largest z). */
function largestProbability(logits: Float32Array, row: number, classes: number): number {
  let largest = logits[row];
  for (let k = 1; k < classes; k++) if (logits[row + k] > largest) largest = logits[row + k];
  let sum = 0;
  for (let k = 0; k < classes; k++) sum += Math.exp(logits[row + k] - largest);
  return 1 / sum;
}

/** Defines selectLowest, by sorting: numbers ascend, −0 is 0, NaN comes last, and ties go by their index. */
export function selectLowestReference(scores: Float32Array, indices: Uint32Array): void {
  const k = indices.length;
  const threshold = scores.slice().sort()[k - 1];
  const isBelow = Number.isNaN(threshold)
    ? (score: number) => !Number.isNaN(score)
    : (score: number) => score < threshold;
  const isTie = Number.isNaN(threshold) ? Number.isNaN : (score: number) => score === threshold;

  let ties = k;
  for (const score of scores) if (isBelow(score)) ties--;
  let selected = 0;
  for (let index = 0; index < scores.length; index++) {
    if (isBelow(scores[index])) indices[selected++] = index;
    else if (ties > 0 && isTie(scores[index])) {
      indices[selected++] = index;
      ties--;
    }
  }
}
