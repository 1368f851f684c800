// p = min(counter · B + b, total − 1); out[b] = order[p], or p itself where there is no order.
// Grid: linear, one invocation an index.

struct Params { batch: u32, last: u32, has_order: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read> counter: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let b = (group.y * groups.x + group.x) * WORKGROUP + local;
  if (b >= params.batch) { return; }
  // Compared before it is multiplied, and before b is added: either may pass 2^32.
  let past = counter[0] > params.last / params.batch;
  var position = params.last;
  if (!past) {
    let start = counter[0] * params.batch;
    position = start + min(b, params.last - start);
  }
  if (params.has_order != 0u) { position = order[position]; }
  out[b] = position;
}
