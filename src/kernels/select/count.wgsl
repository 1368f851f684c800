// counts[2·block] = keys of the block below selection.key, counts[2·block + 1] = keys equal to it.
// Counted in workgroup memory, which a device need not have cleared.
// Grid: linear, a workgroup for each block of WORKGROUP · ITEMS scores.

struct Params { count: u32, blocks: u32 }

struct Selection { key: u32, rank: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> scores: array<u32>;
@group(0) @binding(2) var<storage, read> selection: Selection;
@group(0) @binding(3) var<storage, read_write> counts: array<u32>;

var<workgroup> below: atomic<u32>;
var<workgroup> equal: atomic<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let block = group.y * groups.x + group.x;
  if (local == 0u) {
    atomicStore(&below, 0u);
    atomicStore(&equal, 0u);
  }
  workgroupBarrier();
  let wanted = selection.key;
  var own_below = 0u;
  var own_equal = 0u;
  let first = block * ITEMS * WORKGROUP + local;
  for (var index = first; index < min(first + ITEMS * WORKGROUP, params.count); index += WORKGROUP) {
    let key = key_at(index);
    own_below += select(0u, 1u, key < wanted);
    own_equal += select(0u, 1u, key == wanted);
  }
  atomicAdd(&below, own_below);
  atomicAdd(&equal, own_equal);
  workgroupBarrier();
  if (local == 0u && block < params.blocks) {
    counts[2u * block] = atomicLoad(&below);
    counts[2u * block + 1u] = atomicLoad(&equal);
  }
}
