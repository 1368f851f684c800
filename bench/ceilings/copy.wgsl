// out[i] = x[i], vectors of four f32: what the memory gives at best.
// Each invocation copies RUN vectors, WORKGROUP apart, so that neighbours stay side by side.
// Compiled in: WORKGROUP, RUN.
// Grid: linear over the vectors, WORKGROUP · RUN to a workgroup.

struct Params {
  // Vectors.
  size: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let first = (group.y * groups.x + group.x) * WORKGROUP * RUN + local;
  for (var index = first; index < min(first + WORKGROUP * RUN, params.size); index += WORKGROUP) {
    out[index] = x[index];
  }
}
