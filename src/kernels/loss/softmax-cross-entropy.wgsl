// losses[b] = −T² · Σ_k t[b, k] · ln p[b, k] over the targets t that are not 0, with p = softmax(logits[b] / T);
// gradient[b, k] = T · (p[b, k] · Σ_j t[b, j] − t[b, k]) / B. Joined with log-sum-exp.wgsl.
// Grid: linear, one invocation a row.

struct Params { rows: u32, classes: u32, nan: u32, sharpness: f32, temperature: f32 } // sharpness: 1 / T

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> targets: array<f32>;
@group(0) @binding(3) var<storage, read_write> losses: array<f32>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let b = (group.y * groups.x + group.x) * WORKGROUP + local;
  if (b >= params.rows) { return; }
  let start = b * params.classes;
  let row = log_sum_exp(start, params.sharpness);
  var loss = 0.0;
  var mass = 0.0;
  for (var i = start; i < start + params.classes; i++) {
    // A target of 0 counts for nothing where its logit is −∞ too. The bits tell a NaN from 0; ±0 differ in the sign.
    let is_zero = (bitcast<u32>(targets[i]) & 0x7fffffffu) == 0u;
    if (!is_zero) { loss += targets[i] * (row.log_sum - params.sharpness * (logits[i] - row.largest)); }
    mass += targets[i];
  }
  losses[b] = params.temperature * params.temperature * loss;
  for (var i = start; i < start + params.classes; i++) {
    let probability = exp(params.sharpness * (logits[i] - row.largest)) / row.sum;
    gradient[i] = params.temperature * (probability * mass - targets[i]) / f32(params.rows);
  }
}
