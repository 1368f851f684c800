// The matrix product of product.wgsl, which it follows, where C has few rows or few elements: for GPUs.
// A workgroup computes ROWS × COLUMNS elements. For each column LANES invocations go over K, each at every LANES-th
// step, and their sums are added up in workgroup memory.
// Compiled in: ROWS, COLUMNS, LANES (a power of two), ALONG_K (whether neighbouring invocations read B side by side
// along K, or else along its columns: whichever lie side by side in memory).
// Grid: linear over ⌈M / ROWS⌉ · ⌈N / COLUMNS⌉ tiles, row by row, one to a workgroup.

var<workgroup> sums: array<array<array<f32, COLUMNS>, LANES>, ROWS>;

@compute @workgroup_size(COLUMNS * LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let tile = group.y * groups.x + group.x;
  let tiles_in_row = (params.n + COLUMNS - 1u) / COLUMNS;
  let first_row = tile / tiles_in_row * ROWS;
  if (first_row >= params.m) { return; }
  let lane = select(index / COLUMNS, index % LANES, ALONG_K);
  let s = select(index % COLUMNS, index / LANES, ALONG_K);
  let column = tile % tiles_in_row * COLUMNS + s;

  // Rows and columns past the edge read the last valid element and are not stored.
  let b_offset = min(column, params.n - 1u) * params.b_column;
  var a_offset: array<u32, ROWS>;
  for (var r = 0u; r < ROWS; r++) { a_offset[r] = min(first_row + r, params.m - 1u) * params.a_row; }

  var sum: array<f32, ROWS>;
  for (var p = lane; p < params.k; p += LANES) {
    let b_value = b[b_offset + p * params.b_row];
    for (var r = 0u; r < ROWS; r++) { sum[r] += a[a_offset[r] + p * params.a_column] * b_value; }
  }

  for (var r = 0u; r < ROWS; r++) { sums[r][lane][s] = sum[r]; }
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      for (var r = 0u; r < ROWS; r++) { sums[r][lane][s] += sums[r][lane + half][s]; }
    }
  }
  if (lane > 0u || column >= params.n) { return; }
  for (var r = 0u; r < min(ROWS, params.m - first_row); r++) { store(first_row + r, column, sums[r][0][s]); }
}
