// Writes the indices of the selected scores, ascending: those whose keys are below selection.key, and the first
// selection.rank of those that are equal to it. An index comes after all the selected ones before it, so its place is
// their number.
// Grid: linear, a workgroup for each block of WORKGROUP · ITEMS scores, an invocation for ITEMS in a row.

struct Params { count: u32 }

struct Selection { key: u32, rank: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> scores: array<u32>;
@group(0) @binding(2) var<storage, read> selection: Selection;
@group(0) @binding(3) var<storage, read> starts: array<u32>;
@group(0) @binding(4) var<storage, read_write> indices: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let block = group.y * groups.x + group.x;
  let first = (block * WORKGROUP + local) * ITEMS;
  let end = min(first + ITEMS, params.count);
  let wanted = selection.key;
  let most_equal = selection.rank;
  // Keys below in the low half, equal ones in the high half: a block holds fewer than 65,536.
  var own = 0u;
  for (var index = first; index < end; index++) {
    let key = key_at(index);
    own += select(0u, 1u, key < wanted) + select(0u, 0x10000u, key == wanted);
  }
  let before = sum_before(local, own);
  // Most have none to write.
  let last = select(first, end, own != 0u);
  var below = starts[2u * block] + (before & 0xffffu);
  var equal = starts[2u * block + 1u] + (before >> 16u);
  for (var index = first; index < last; index++) {
    let key = key_at(index);
    if (key < wanted) {
      indices[below + min(equal, most_equal)] = index;
      below++;
    }
    if (key == wanted) {
      if (equal < most_equal) { indices[below + equal] = index; }
      equal++;
    }
  }
}
