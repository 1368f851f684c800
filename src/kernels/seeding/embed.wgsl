// The gradient embedding of each row of a batch, as a column of `embeddings`: the softmax of the logits less the most
// likely class, the features, and the squared norm of their outer product with [features, 1]. Where a number is not
// finite the column is 0, and its squared norm NaN.
//   logits      [batch, classes], features [batch, width], rows
//   embeddings  [classes + width + 1, columns], of which `candidates` columns are in use
// Grid: linear, one invocation a row of the batch.

struct Params { batch: u32, classes: u32, width: u32, candidates: u32, columns: u32, nan: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> features: array<f32>;
@group(0) @binding(3) var<storage, read> counter: array<u32>;
@group(0) @binding(4) var<storage, read_write> embeddings: array<f32>;

fn is_finite(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let p = (group.y * groups.x + group.x) * WORKGROUP + local;
  if (p >= params.batch) { return; }
  // A batch that begins past the last candidate has none; checked before the product can overflow.
  if (counter[0] > params.candidates / params.batch) { return; }
  let candidate = counter[0] * params.batch + p;
  if (candidate >= params.candidates) { return; }

  let start = p * params.classes;
  var label = 0u;
  var finite = true;
  for (var k = 0u; k < params.classes; k++) {
    finite = finite && is_finite(logits[start + k]);
    if (logits[start + k] > logits[start + label]) { label = k; }
  }
  let largest = logits[start + label];
  // Minus the others' sum is p − 1 of the most likely class with all of its digits.
  var others = 0.0;
  for (var k = 0u; k < params.classes; k++) {
    if (k != label) { others += exp(logits[start + k] - largest); }
  }
  var feature_squares = 1.0;
  for (var f = 0u; f < params.width; f++) {
    let feature = features[p * params.width + f];
    finite = finite && is_finite(feature);
    feature_squares += feature * feature;
  }

  var squares = 0.0;
  var at = candidate;
  for (var k = 0u; k < params.classes; k++) {
    var power = -others;
    if (k != label) { power = exp(logits[start + k] - largest); }
    let value = power / (1.0 + others);
    squares += value * value;
    embeddings[at] = select(0.0, value, finite);
    at += params.columns;
  }
  for (var f = 0u; f < params.width; f++) {
    embeddings[at] = select(0.0, features[p * params.width + f], finite);
    at += params.columns;
  }
  embeddings[at] = select(bitcast<f32>(params.nan), squares * feature_squares, finite);
}
