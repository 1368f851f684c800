// Starts a selection: nothing known of the k-th lowest key, whose rank among all keys is k; empty bins.
// Grid: one workgroup of an invocation for each of the 256 bins.

struct Params { k: u32 }

struct Selection { key: u32, rank: u32, bins: array<u32, 256> }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> selection: Selection;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32) {
  selection.bins[local] = 0u;
  if (local == 0u) {
    selection.key = 0u;
    selection.rank = params.k;
  }
}
