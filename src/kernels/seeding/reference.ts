import { philox4x32, RandomStream, unitFloat } from "../../tensor/random.js";
import type { EmbeddingSizes } from "./contract.js";

/** Distance of a column of the embeddings from the one before it in a row, and of a row from the next. */
const columnsOf = (embeddings: Float32Array, { classes, features }: EmbeddingSizes): number =>
  embeddings.length / (classes + features + 1);

/**
 * Defines embedGradients: the column of candidate step · batch + p is p_k − [k = y] with p the softmax of the row of
 * logits and y its first largest, the features, and the squared norm Σ_k (p_k − [k = y])² · (Σ_f features² + 1). Where
 * a number of the row is not finite, all are 0 and the squared norm NaN.
 */
export function embedGradientsReference(
  logits: Float32Array,
  features: Float32Array,
  sizes: EmbeddingSizes & { readonly batch: number },
  step: number,
  embeddings: Float32Array,
): void {
  const { batch, candidates, classes, features: width } = sizes;
  const columns = columnsOf(embeddings, sizes);
  for (let p = 0; p < batch; p++) {
    const candidate = step * batch + p;
    if (candidate >= candidates) return;
    const own = [
      ...probabilityGradient(logits.subarray(p * classes, (p + 1) * classes)),
      ...features.subarray(p * width, (p + 1) * width),
    ];
    const finite = own.every(Number.isFinite);
    const norm = squares(own.slice(0, classes)) * (squares(own.slice(classes)) + 1);
    for (const [row, value] of own.entries()) embeddings[row * columns + candidate] = finite ? value : 0;
    embeddings[own.length * columns + candidate] = finite ? norm : NaN;
  }
}

/** Softmax less the most likely class. Its element there is minus the others' sum, which keeps all of its digits. */
function probabilityGradient(logits: Float32Array): number[] {
  if (!logits.every(Number.isFinite)) return Array.from(logits, () => NaN);
  const largest = Math.max(...logits);
  const label = logits.indexOf(largest);
  const powers = Array.from(logits, (logit) => Math.exp(logit - largest));
  const others = powers.reduce((sum, power, k) => (k === label ? sum : sum + power), 0);
  return powers.map((power, k) => (k === label ? -others : power) / (1 + others));
}

const squares = (values: readonly number[]): number => values.reduce((sum, value) => sum + value * value, 0);

/** What pickSeed reads and writes beside the embeddings, on the host. */
export interface HostSeeding {
  readonly seed: number;
  readonly round: Uint32Array;
  readonly counter: Uint32Array;
  readonly chosen: Uint32Array;
  readonly nearest: Float32Array;
  readonly centre: Float32Array;
}

/** The largest squared distance: sums of many are finite. */
const MOST = 1e30;

/**
 * Defines the first half of a pick: nearest[i] becomes the smaller of itself and the squared distance to the centre,
 * ‖x_i‖² + ‖x_c‖² − 2 ⟨a_i, a_c⟩ (⟨b_i, b_c⟩ + 1), 0 where that is negative or no finite number, at most 1e30; −1 for the centre.
 */
export function nearestReference(
  embeddings: Float32Array,
  sizes: EmbeddingSizes,
  { counter, chosen, nearest, centre }: HostSeeding,
): void {
  const { candidates, classes, features } = sizes;
  const columns = columnsOf(embeddings, sizes);
  const [pick] = counter;
  const at = (row: number, column: number) => embeddings[row * columns + column];
  const rows = classes + features;
  for (let i = 0; i < columns; i++) {
    let distance = at(rows, i);
    if (pick > 0) {
      let a = 0;
      let b = 1;
      for (let row = 0; row < classes; row++) a += at(row, i) * centre[row];
      for (let row = classes; row < rows; row++) b += at(row, i) * centre[row];
      distance += centre[rows] - 2 * a * b;
    }
    distance = Number.isFinite(Math.fround(distance)) ? Math.min(Math.max(distance, 0), MOST) : 0;
    if (pick > 1) distance = Math.min(distance, nearest[i]);
    nearest[i] = i >= candidates || (pick > 0 && i === chosen[pick - 1]) ? -1 : distance;
  }
}

/**
 * Defines the second half of a pick: the candidate of the largest `nearest` at the first, later the first at which the
 * running sum of `nearest` exceeds a random share of the whole; of sums of 0 the first that was not chosen.
 */
export function drawReference(
  embeddings: Float32Array,
  sizes: EmbeddingSizes,
  { seed, round, counter, chosen, nearest, centre }: HostSeeding,
): void {
  const [pick] = counter;
  if (pick >= chosen.length) return;
  const columns = columnsOf(embeddings, sizes);
  const candidate = pick === 0 ? nearest.indexOf(Math.max(...chunks(nearest))) : draw();
  for (let row = 0; row < centre.length; row++) centre[row] = embeddings[row * columns + candidate];
  chosen[pick] = candidate;
  counter[0]++;

  function draw(): number {
    const total = nearest.reduce((sum, weight) => sum + Math.max(weight, 0), 0);
    const wanted = total * drawShare(pick, round[0], seed);
    let sum = 0;
    let last = -1;
    for (let i = 0; i < nearest.length; i++) {
      if (nearest[i] <= 0) continue;
      last = i;
      sum += nearest[i];
      if (wanted < sum) break;
    }
    return last >= 0 ? last : nearest.findIndex((weight) => weight === 0);
  }
}

/** The largest of each thousand values: no more may be the arguments of one call. */
function chunks(values: Float32Array): number[] {
  const starts = Array.from({ length: Math.ceil(values.length / 1000) }, (_, index) => 1000 * index);
  return starts.map((start) => Math.max(...values.subarray(start, start + 1000)));
}

/** The share of all weight at which pick number `pick` of a round falls, in [0, 1): as the device draws it. */
export function drawShare(pick: number, round: number, seed: number): number {
  return unitFloat(philox4x32([pick, round, RandomStream.seeding, 0], [seed, 0])[0]);
}
