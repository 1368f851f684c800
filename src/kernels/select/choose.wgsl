// Finds the bin that holds the key of the wanted rank: its number becomes the 8 bits from `shift` on of selection.key,
// and the rank is from then on that among the keys of this bin. Empties the bins for the next count.
// After the last 8 bits selection.key is the k-th lowest key and selection.rank says how many of its equals are selected.
// Grid: one workgroup of an invocation for each of the 256 bins.

struct Params { shift: u32 }

struct Selection { key: u32, rank: u32, bins: array<u32, 256> }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> selection: Selection;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32) {
  let count = selection.bins[local];
  let rank = selection.rank;
  selection.bins[local] = 0u;
  storageBarrier();
  let before = sum_before(local, count);
  if (before < rank && rank <= before + count) {
    selection.key |= local << params.shift;
    selection.rank = rank - before;
  }
}
