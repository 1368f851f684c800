import { drawLambda } from "../mixup/draws.js";
import type { PairSizes, ScoreName } from "./contract.js";
import { drawGumbel } from "./gumbel.js";

/** What scorePairs and scoreBelief read and write, on the host. */
export interface HostTable {
  /** The counter's value. */
  readonly step: number;
  readonly taken: Uint32Array;
  readonly scores: Float32Array;
  readonly choices: Uint32Array;
  readonly lambdas: number;
  readonly single: { readonly seed: number } | undefined;
}

/** What scorePairs reads and writes, on the host. */
export interface HostPairs extends HostTable {
  /** "confidence" where absent. */
  readonly score?: ScoreName | undefined;
  /** `round` is the value of the noise's counter. */
  readonly noise?: { readonly seed: number; readonly round: number } | undefined;
}

/**
 * Defines scorePairs: a pair's score is the smallest over its blends, the first where several attain it; +Infinity where
 * any is NaN, and then the choice is the first of those; NaN where the pair is taken. With noise, the score is
 * −(ln(1 − largest probability) + Gumbel(0, 1)) of the blend that attains the smallest confidence.
 */
export function scorePairsReference(logits: Float32Array, sizes: PairSizes, pairs: HostPairs): void {
  const { classes } = sizes;
  const { score = "confidence", noise } = pairs;
  const scoreOf = SCORES[score];
  const noisy =
    noise &&
    ((row: number, candidate: number) =>
      -(logDoubt(logits, row * classes, classes) + drawGumbel(candidate, noise.round, noise.seed)));
  lowestOverLambda(sizes, pairs, (row) => scoreOf(logits, row * classes, classes), noisy);
}

/**
 * Defines scoreBelief: the score of a row of `sums` [rows, K + 1] is mean entropy − entropy of the mean probabilities;
 * the rest as in scorePairs.
 */
export function scoreBeliefReference(sums: Float32Array, members: number, sizes: PairSizes, table: HostTable): void {
  const { classes } = sizes;
  lowestOverLambda(sizes, table, (row) => {
    const start = row * (classes + 1);
    let score = sums[start + classes] / members;
    for (let k = start; k < start + classes; k++) {
      const mean = sums[k] / members;
      if (mean !== 0) score += mean * Math.log(mean);
    }
    return score;
  });
}

/** Defines addBelief: adds each row's softmax and, behind it, its entropy to `sums`, or puts them there. */
export function addBeliefReference(
  logits: Float32Array,
  sums: Float32Array,
  { rows, classes }: { readonly rows: number; readonly classes: number },
  add: boolean,
): void {
  for (let b = 0; b < rows; b++) {
    const out = b * (classes + 1);
    if (!add) sums.fill(0, out, out + classes + 1);
    const { largest, sum } = exponentials(logits, b * classes, classes);
    for (let k = 0; k < classes; k++) sums[out + k] += Math.exp(logits[b * classes + k] - largest) / sum;
    sums[out + classes] -= negativeEntropy(logits, b * classes, classes);
  }
}

/** Writes each pair's smallest score over λ, and which; or, with `noisy`, the noisy score of the row that attains it. */
function lowestOverLambda(
  { batch, perPair, pool }: PairSizes,
  { step, taken, scores, choices, lambdas, single }: HostTable,
  scoreOf: (row: number) => number,
  noisy?: (row: number, candidate: number) => number,
): void {
  for (let p = 0; p < batch; p++) {
    const candidate = step * batch + p;
    if (candidate >= pool) return;
    let score = Infinity;
    let choice = 0;
    for (let l = 0; l < perPair; l++) {
      const own = Math.fround(scoreOf(p * perPair + l));
      if (Number.isNaN(own)) {
        score = NaN;
        choice = l;
        break;
      }
      if (own < score) {
        score = own;
        choice = l;
      }
    }
    if (Number.isNaN(score)) score = Infinity;
    else if (noisy) score = noisy(p * perPair + choice, candidate);
    scores[candidate] = taken[candidate] !== 0 ? NaN : score;
    choices[candidate] = single ? drawLambda(candidate, single.seed, lambdas) : choice;
  }
}

const SCORES: Readonly<Record<ScoreName, (logits: Float32Array, start: number, classes: number) => number>> = {
  /** 1 / Σ exp(z − largest z). */
  confidence: (logits, start, classes) => 1 / exponentials(logits, start, classes).sum,
  /** (1 − exp(second largest z − largest z)) / Σ exp(z − largest z); of one class 1. */
  margin: (logits, start, classes) => {
    const { largest, second, sum } = exponentials(logits, start, classes);
    return (1 - Math.exp(second - largest)) / sum;
  },
  entropy: negativeEntropy,
};

/** Σ p · ln p, with p the softmax of a row. */
function negativeEntropy(logits: Float32Array, start: number, classes: number): number {
  const { largest, sum } = exponentials(logits, start, classes);
  let score = 0;
  for (let k = start; k < start + classes; k++) {
    const p = Math.exp(logits[k] - largest) / sum;
    if (p !== 0) score += p * (logits[k] - largest - Math.log(sum));
  }
  return score;
}

/** ln(1 − largest p) of a row: shifted by the second largest logit, since 1 − p has no digits where p is near 1. */
function logDoubt(logits: Float32Array, start: number, classes: number): number {
  const { largest, second, place, sum } = exponentials(logits, start, classes);
  if (second === -Infinity) return -Infinity;
  let others = 0;
  for (let k = start; k < start + classes; k++) if (k !== place) others += Math.exp(logits[k] - second);
  return second - largest + Math.log(others) - Math.log(sum);
}

/** A row's largest logit and its place, the largest of the others (−Infinity of none), and Σ exp(z − largest z). */
function exponentials(logits: Float32Array, start: number, classes: number) {
  let place = start;
  for (let k = start; k < start + classes; k++) if (logits[k] > logits[place]) place = k;
  const largest = logits[place];
  let second = -Infinity;
  let sum = 0;
  for (let k = start; k < start + classes; k++) {
    if (k !== place && logits[k] > second) second = logits[k];
    sum += Math.exp(logits[k] - largest);
  }
  return { largest, second, place, sum };
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
