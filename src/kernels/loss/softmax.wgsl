// out[b, k] = exp(logits[b, k]) / Σ_j exp(logits[b, j]), rows of `classes`. Joined with log-sum-exp.wgsl.
// Grid: linear, one invocation a row.

struct Params { rows: u32, classes: u32, nan: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let b = (group.y * groups.x + group.x) * WORKGROUP + local;
  if (b >= params.rows) { return; }
  let start = b * params.classes;
  let row = log_sum_exp(start, 1.0);
  for (var i = start; i < start + params.classes; i++) { out[i] = exp(logits[i] - row.largest) / row.sum; }
}
