// out[b] = the first k with the largest x[b, k], rows of `classes`; a NaN counts as larger than any number.
// Joined behind nan.wgsl.
// Grid: linear, one invocation a row.

struct Params { rows: u32, classes: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let b = (group.y * groups.x + group.x) * WORKGROUP + local;
  if (b >= params.rows) { return; }
  let start = b * params.classes;
  var best = 0u;
  for (var k = 0u; k < params.classes; k++) {
    if (is_nan(x[start + best])) { break; }
    if (x[start + k] > x[start + best] || is_nan(x[start + k])) { best = k; }
  }
  out[b] = best;
}
