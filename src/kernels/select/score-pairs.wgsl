// For pair p of the batch, candidate c = counter · P + p of the pool, with a row of numbers for each λ, all λ of a pair
// next to each other: scores[c] = min over λ of what `score` makes of the row, +∞ where one of these is NaN, NaN where
// taken[c] is not 0; choices[c] = the first λ that attains the minimum, or the first NaN, or with `single` the λ that was
// drawn for the candidate. With p the softmax of a row of logits, z:
//   CONFIDENCE  the largest p = 1 / Σ exp(z − largest z)
//   MARGIN      the largest p less the second largest
//   ENTROPY     Σ p · ln p
//   BELIEF      of a row of sums over `members`, of p and behind them of entropies: mean entropy − entropy of the mean p
// With `noise`, −(ln(1 − largest p) + Gumbel noise) at the λ that was chosen.
// Scores are written as bits: WGSL has no way to write ∞ and NaN. Joined behind nan.wgsl, draw-lambda.wgsl, gumbel.wgsl.
// Grid: linear, one invocation a pair.

struct Params {
  batch: u32, per_pair: u32, classes: u32, pool: u32,
  single: u32, seed: u32, lambdas: u32,
  score: u32, members: u32, noise: u32, noise_seed: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> rows: array<f32>;
@group(0) @binding(2) var<storage, read> counter: array<u32>;
@group(0) @binding(3) var<storage, read> taken: array<u32>;
@group(0) @binding(4) var<storage, read> round: array<u32>;
@group(0) @binding(5) var<storage, read_write> scores: array<u32>;
@group(0) @binding(6) var<storage, read_write> choices: array<u32>;

const INFINITY_BITS = 0x7f800000u;
const NAN_BITS = 0x7fc00000u;
const LOWEST = -3.4e38;

// Place of the first largest of a row's logits; where that is NaN or some other is, it does not matter which.
fn place_of_largest(row: u32) -> u32 {
  var place = row;
  for (var k = row + 1u; k < row + params.classes; k++) { place = select(place, k, rows[k] > rows[place]); }
  return place;
}

// Largest logit of a row but the one at `place`; LOWEST where there is none above it.
fn largest_but(row: u32, place: u32) -> f32 {
  var second = LOWEST;
  for (var k = row; k < row + params.classes; k++) {
    if (k != place && rows[k] > second) { second = rows[k]; }
  }
  return second;
}

fn negative_entropy(row: u32, largest: f32, sum: f32) -> f32 {
  var weighted = 0.0;
  for (var k = row; k < row + params.classes; k++) {
    let shifted = rows[k] - largest;
    let power = exp(shifted);
    // 0 · −∞ where the exponential vanished.
    if (power > 0.0) { weighted += power * shifted; }
  }
  return weighted / sum - log(sum);
}

fn agreement(row: u32) -> f32 {
  let members = f32(params.members);
  var score = rows[row + params.classes] / members;
  // NaN of one member is in all of its sums.
  if (is_nan(score)) { return score; }
  for (var k = row; k < row + params.classes; k++) {
    let mean = rows[k] / members;
    if (mean > 0.0) { score += mean * log(mean); }
  }
  return score;
}

fn score_of(row: u32) -> f32 {
  if (params.score == BELIEF) { return agreement(row); }
  let place = place_of_largest(row);
  let largest = rows[place];
  var sum = 0.0;
  for (var k = row; k < row + params.classes; k++) { sum += exp(rows[k] - largest); }
  let confidence = 1.0 / sum;
  if (params.score == CONFIDENCE || is_nan(confidence)) { return confidence; }
  if (params.score == MARGIN) { return (1.0 - exp(largest_but(row, place) - largest)) / sum; }
  return negative_entropy(row, largest, sum);
}

// Bits of −(ln(1 − largest p) + gumbel). 1 − p would lose all digits where p is near 1: with r the sum of exp(z − second
// largest z) over the others it is exp(second − largest) · r / Σ exp(z − largest).
fn noisy(row: u32, gumbel: f32) -> u32 {
  let place = place_of_largest(row);
  let second = largest_but(row, place);
  var sum = 0.0;
  var others = 0.0;
  for (var k = row; k < row + params.classes; k++) {
    sum += exp(rows[k] - rows[place]);
    if (k != place) { others += exp(rows[k] - second); }
  }
  if (!(others > 0.0)) { return INFINITY_BITS; }
  return bitcast<u32>(rows[place] - second - log(others) + log(sum) - gumbel);
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let p = (group.y * groups.x + group.x) * WORKGROUP + local;
  // Compared before it is multiplied: the product of a late counter would pass 2^32.
  if (p >= params.batch || counter[0] > (params.pool - 1u) / params.batch) { return; }
  let first = counter[0] * params.batch;
  if (p >= params.pool - first) { return; }
  let candidate = first + p;

  let width = params.classes + u32(params.score == BELIEF);
  var score = score_of(p * params.per_pair * width);
  var choice = 0u;
  for (var l = 1u; l < params.per_pair; l++) {
    let other = score_of((p * params.per_pair + l) * width);
    if (!is_nan(score) && (is_nan(other) || other < score)) {
      score = other;
      choice = l;
    }
  }
  var bits = select(bitcast<u32>(score), INFINITY_BITS, is_nan(score));
  if (params.noise != 0u && !is_nan(score)) {
    bits = noisy((p * params.per_pair + choice) * width, draw_gumbel(candidate, round[0], params.noise_seed));
  }
  if (params.single != 0u) { choice = draw_lambda(candidate, params.seed, params.lambdas); }
  scores[candidate] = select(bits, NAN_BITS, taken[candidate] != 0u);
  choices[candidate] = choice;
}
