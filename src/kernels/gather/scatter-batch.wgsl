// target[counter · B + b, j] = values[b, j] wherever the target has that row; rows of 32-bit words copied as they are.
// Grid: linear, one invocation a word of the values.

struct Params { words: u32, target_words: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<u32>;
@group(0) @binding(2) var<storage, read> counter: array<u32>;
@group(0) @binding(3) var<storage, read_write> target_rows: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = (group.y * groups.x + group.x) * WORKGROUP + local;
  if (index >= params.words) { return; }
  // Compared before it is multiplied: the product of a late counter would pass 2^32.
  if (counter[0] > (params.target_words - 1u) / params.words) { return; }
  let position = counter[0] * params.words + index;
  if (position < params.target_words) { target_rows[position] = values[index]; }
}
