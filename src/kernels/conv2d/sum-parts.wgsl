// out[i] = Σ_p parts[p, i], in the order of p.
// Compiled in: WORKGROUP.
// Grid: linear, one invocation an element of `out`.

struct Params { size: u32, parts: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> parts: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = (group.y * groups.x + group.x) * WORKGROUP + local;
  if (index >= params.size) { return; }
  var sum = 0.0;
  for (var p = 0u; p < params.parts; p++) { sum += parts[p * params.size + index]; }
  out[index] = sum;
}
