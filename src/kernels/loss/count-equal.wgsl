// total[0] += the number of b with a[b] = other[b], modulo 2^32.
// Grid: linear, one invocation a pair. Integer additions: their order changes nothing.

struct Params { count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<u32>;
@group(0) @binding(2) var<storage, read> other: array<u32>;
@group(0) @binding(3) var<storage, read_write> total: atomic<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let b = (group.y * groups.x + group.x) * WORKGROUP + local;
  if (b >= params.count) { return; }
  if (a[b] == other[b]) { atomicAdd(&total, 1u); }
}
