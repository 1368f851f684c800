// out[b, j] = table[min(indices[b], E − 1), j], rows of `row_size` 32-bit words copied as they are.
// Grid: linear, one invocation a word of the output.

struct Params { words: u32, row_size: u32, last_row: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> table: array<u32>;
@group(0) @binding(2) var<storage, read> indices: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = (group.y * groups.x + group.x) * WORKGROUP + local;
  if (index >= params.words) { return; }
  let b = index / params.row_size;
  let row = min(indices[b], params.last_row);
  out[index] = table[row * params.row_size + index % params.row_size];
}
