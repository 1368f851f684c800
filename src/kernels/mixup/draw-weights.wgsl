// out[b] = the share of row b in its mix with another: bit for bit the function `drawWeight` of draws.ts. f32.
// Joined behind philox.wgsl.
// Compiled in: WORKGROUP, WEIGHTS_STREAM. Grid: linear, one invocation a row.

struct Params { count: u32, share: u32, seed: u32 }

@group(0) @binding(0) var<uniform> params: Params;
// The step's number.
@group(0) @binding(1) var<storage, read> counter: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let b = (group.y * groups.x + group.x) * WORKGROUP + local;
  if (b >= params.count) { return; }
  let words = philox(vec4u(b, counter[0], WEIGHTS_STREAM, 0u), vec2u(params.seed, 0u));
  out[b] = select(1.0, unit_float(words.y), (words.x >> 16u) < params.share);
}
