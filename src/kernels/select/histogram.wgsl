// Counts the 8 bits from `shift` on of the keys whose bits above are those of selection.key: bins[digit] += 1.
// Counted in workgroup memory first, which a device need not have cleared. Whole numbers, so that the order of the
// additions does not matter.
// Grid: linear, a workgroup for WORKGROUP · ITEMS scores.

struct Params { count: u32, shift: u32 }

struct Selection { key: u32, rank: u32, bins: array<atomic<u32>, 256> }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> scores: array<u32>;
@group(0) @binding(2) var<storage, read_write> selection: Selection;

var<workgroup> bins: array<atomic<u32>, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  atomicStore(&bins[local], 0u);
  workgroupBarrier();
  let known = selection.key;
  let first = (group.y * groups.x + group.x) * WORKGROUP * ITEMS + local;
  let end = min(first + WORKGROUP * ITEMS, params.count);
  let shift = params.shift;
  for (var index = first; index < end; index += WORKGROUP) {
    let key = key_at(index);
    // In two steps, for 32 bits at once are no shift.
    if ((((key ^ known) >> shift) >> 8u) == 0u) { atomicAdd(&bins[(key >> shift) & 0xffu], 1u); }
  }
  workgroupBarrier();
  let found = atomicLoad(&bins[local]);
  if (found != 0u) { atomicAdd(&selection.bins[local], found); }
}
