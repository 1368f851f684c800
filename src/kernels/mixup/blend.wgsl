// out[r, e] = weight · a[r, e] + (1 − weight) · b[r, e] with weight = weights[first_row + r]. f32; a, b and out are
// `rows` rows of `row_size` elements: numbers, or vectors of four where rows are whole ones.
// Joined behind a declaration of `Element`, f32 or vec4f.
// Compiled in: WORKGROUP, RUN (elements that an invocation makes, WORKGROUP apart, all of one row).
// Grid: linear, `groups_per_row` workgroups for each row.

struct Params { rows: u32, row_size: u32, groups_per_row: u32, first_row: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<Element>;
@group(0) @binding(2) var<storage, read> b: array<Element>;
@group(0) @binding(3) var<storage, read> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<Element>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let item = group.y * groups.x + group.x;
  let row = item / params.groups_per_row;
  if (row >= params.rows) { return; }
  let weight = weights[params.first_row + row];
  let start = row * params.row_size;
  let first = (item % params.groups_per_row) * WORKGROUP * RUN + local;
  for (var e = first; e < min(first + WORKGROUP * RUN, params.row_size); e += WORKGROUP) {
    out[start + e] = weight * a[start + e] + (1.0 - weight) * b[start + e];
  }
}
