// Turns the counts of blocks into those of all blocks before, in place: counts[2·block] of keys below the k-th lowest,
// counts[2·block + 1] of keys equal to it.
// Grid: one workgroup; an invocation takes ⌈blocks / WORKGROUP⌉ blocks in a row.

struct Params { blocks: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> counts: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32) {
  let per_invocation = (params.blocks + WORKGROUP - 1u) / WORKGROUP;
  let first = min(local * per_invocation, params.blocks);
  let end = min(first + per_invocation, params.blocks);
  var below = 0u;
  var equal = 0u;
  for (var block = first; block < end; block++) {
    below += counts[2u * block];
    equal += counts[2u * block + 1u];
  }
  below = sum_before(local, below);
  equal = sum_before(local, equal);
  for (var block = first; block < end; block++) {
    let block_below = counts[2u * block];
    let block_equal = counts[2u * block + 1u];
    counts[2u * block] = below;
    counts[2u * block + 1u] = equal;
    below += block_below;
    equal += block_equal;
  }
}
