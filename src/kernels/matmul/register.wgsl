// The matrix product of product.wgsl, which it follows.
// Each invocation computes TILE_M rows × TILE_N columns in registers and uses no workgroup memory: for software
// drivers, where workgroup memory is slow and large register tiles are fast.
// Invocations of a workgroup stand side by side along N; the rows of a workgroup are the same for all, so that reads
// of A are uniform.
// Compiled in: TILE_M, TILE_N, WORKGROUP.
// Grid: linear over ⌈M / TILE_M⌉ · ⌈N / (TILE_N · WORKGROUP)⌉ tiles, row by row, one to a workgroup.

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let tile = group.y * groups.x + group.x;
  let tiles_in_row = (params.n + TILE_N * WORKGROUP - 1u) / (TILE_N * WORKGROUP);
  let first_row = tile / tiles_in_row * TILE_M;
  let first_column = (tile % tiles_in_row * WORKGROUP + local) * TILE_N;
  if (first_row >= params.m || first_column >= params.n) { return; }

  // Rows and columns past the edge read the last valid element and are not stored.
  var a_offset: array<u32, TILE_M>;
  var b_offset: array<u32, TILE_N>;
  for (var r = 0u; r < TILE_M; r++) {
    a_offset[r] = min(first_row + r, params.m - 1u) * params.a_row;
  }
  for (var s = 0u; s < TILE_N; s++) {
    b_offset[s] = min(first_column + s, params.n - 1u) * params.b_column;
  }

  var sum: array<array<f32, TILE_N>, TILE_M>;
  for (var p = 0u; p < params.k; p++) {
    var b_value: array<f32, TILE_N>;
    for (var s = 0u; s < TILE_N; s++) { b_value[s] = b[b_offset[s] + p * params.b_row]; }
    for (var r = 0u; r < TILE_M; r++) {
      let a_value = a[a_offset[r] + p * params.a_column];
      for (var s = 0u; s < TILE_N; s++) { sum[r][s] += a_value * b_value[s]; }
    }
  }

  for (var r = 0u; r < TILE_M; r++) {
    let row = first_row + r;
    if (row >= params.m) { break; }
    for (var s = 0u; s < TILE_N; s++) {
      let column = first_column + s;
      if (column >= params.n) { break; }
      store(row, column, sum[r][s]);
    }
  }
}
