// out[i] = a[i] + b[i], or that where it is above 0 and else 0. f32, any shape.
// Compiled in: RUN, the elements that an invocation writes, 64 apart.
// Grid: linear over the elements, 64 · RUN to a workgroup.

struct Params {
  size: u32,
  relu: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

fn write_element(index: u32) {
  let value = a[index] + b[index];
  out[index] = select(value, 0.0, params.relu != 0u && value <= 0.0);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let first = (group.y * groups.x + group.x) * 64u * RUN + local.x;
  for (var index = first; index < min(first + 64u * RUN, params.size); index += 64u) { write_element(index); }
}
