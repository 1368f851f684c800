// For pair p of the batch, candidate c = counter · P + p of the pool, with logits row by row, all λ of a pair next to
// each other: scores[c] = min over λ of the softmax's largest probability 1 / Σ exp(z − largest z), +∞ where one of these
// is NaN, NaN where taken[c] is not 0; choices[c] = the first λ that attains the minimum, or the first NaN, or with
// `single` the λ that was drawn for the candidate. Scores are written as bits: WGSL has no way to write ∞ and NaN.
// Joined behind nan.wgsl.
// Grid: linear, one invocation a pair.

struct Params {
  batch: u32, per_pair: u32, classes: u32, pool: u32,
  single: u32, seed: u32, lambdas: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> counter: array<u32>;
@group(0) @binding(3) var<storage, read> taken: array<u32>;
@group(0) @binding(4) var<storage, read_write> scores: array<u32>;
@group(0) @binding(5) var<storage, read_write> choices: array<u32>;

const INFINITY_BITS = 0x7f800000u;
const NAN_BITS = 0x7fc00000u;

fn largest_probability(row: u32) -> f32 {
  var largest = logits[row];
  for (var k = 1u; k < params.classes; k++) {
    let value = logits[row + k];
    largest = select(largest, value, value > largest);
  }
  var sum = 0.0;
  for (var k = 0u; k < params.classes; k++) { sum += exp(logits[row + k] - largest); }
  return 1.0 / sum;
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

  var score = largest_probability(p * params.per_pair * params.classes);
  var choice = 0u;
  for (var l = 1u; l < params.per_pair; l++) {
    let confidence = largest_probability((p * params.per_pair + l) * params.classes);
    if (!is_nan(score) && (is_nan(confidence) || confidence < score)) {
      score = confidence;
      choice = l;
    }
  }
  if (params.single != 0u) { choice = draw_lambda(candidate, params.seed, params.lambdas); }
  let bits = select(bitcast<u32>(score), INFINITY_BITS, is_nan(score));
  scores[candidate] = select(bits, NAN_BITS, taken[candidate] != 0u);
  choices[candidate] = choice;
}
