// sums[b, k] += p[b, k], sums[b, K] += −Σ_k p[b, k] · ln p[b, k], p the softmax of a row of logits [rows, K]; = where not
// `add`: sums start with arbitrary contents. Joined behind log-sum-exp.wgsl.
// Grid: linear, one invocation a row.

struct Params { rows: u32, classes: u32, nan: u32, add: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;

fn put(place: u32, value: f32) {
  if (params.add != 0u) { sums[place] += value; } else { sums[place] = value; }
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let b = (group.y * groups.x + group.x) * WORKGROUP + local;
  if (b >= params.rows) { return; }
  let start = b * params.classes;
  let out = b * (params.classes + 1u);
  let row = log_sum_exp(start, 1.0);
  var entropy = row.log_sum;
  for (var k = 0u; k < params.classes; k++) {
    let shifted = logits[start + k] - row.largest;
    let p = exp(shifted) / row.sum;
    put(out + k, p);
    // 0 · −∞ where the exponential vanished.
    if (p > 0.0) { entropy -= p * shifted; }
  }
  put(out + params.classes, entropy);
}
