// out[i] = Σ_p parts[p, i] in the order of p, + bias[c] where there is one; then max(0, ·) where asked.
// Element i is of channel c = i / inner mod channels.
// Compiled in: WORKGROUP.
// Grid: linear, one invocation an element of `out`.

struct Params { size: u32, parts: u32, inner: u32, channels: u32, has_bias: u32, relu: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> parts: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

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
  if (params.has_bias != 0u) { sum += bias[index / params.inner % params.channels]; }
  if (params.relu != 0u) { sum = select(sum, 0.0, sum <= 0.0); }
  out[index] = sum;
}
