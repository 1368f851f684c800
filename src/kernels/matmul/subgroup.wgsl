// The matrix product of product.wgsl, which it follows.
// For software drivers with subgroups of 8, where a load costs ten times as much as a multiply-add, wherever it comes
// from, and a shuffle little. A workgroup is one subgroup and computes TILE_M rows × 8 · TILE_N columns in registers: a
// lane computes every eighth column, and loads A only of every eighth row, which it hands round.
// Needs subgroups of exactly 8.
// Compiled in: WORKGROUP (8), TILE_M (a multiple of 8), TILE_N.
// Grid: linear over ⌈M / TILE_M⌉ · ⌈N / (8 · TILE_N)⌉ tiles, row by row, one to a workgroup.

const A_LOADS = TILE_M / WORKGROUP;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = group.y * groups.x + group.x;
  let tiles_in_row = (params.n + TILE_N * WORKGROUP - 1u) / (TILE_N * WORKGROUP);
  let first_row = tile / tiles_in_row * TILE_M;
  let first_column = tile % tiles_in_row * TILE_N * WORKGROUP + lane;
  if (first_row >= params.m) { return; }

  // Rows and columns past the edge read the last valid element and are not stored; no lane leaves early, since the
  // others need its share of A.
  var a_offset: array<u32, A_LOADS>;
  var b_offset: array<u32, TILE_N>;
  for (var r = 0u; r < A_LOADS; r++) {
    a_offset[r] = min(first_row + r * WORKGROUP + lane, params.m - 1u) * params.a_row;
  }
  for (var s = 0u; s < TILE_N; s++) {
    b_offset[s] = min(first_column + s * WORKGROUP, params.n - 1u) * params.b_column;
  }

  var sum: array<array<f32, TILE_N>, TILE_M>;
  for (var p = 0u; p < params.k; p++) {
    var b_value: array<f32, TILE_N>;
    for (var s = 0u; s < TILE_N; s++) { b_value[s] = b[b_offset[s] + p * params.b_row]; }
    for (var r = 0u; r < A_LOADS; r++) {
      let own = a[a_offset[r] + p * params.a_column];
      for (var owner = 0u; owner < WORKGROUP; owner++) {
        let a_value = subgroupShuffle(own, owner);
        for (var s = 0u; s < TILE_N; s++) { sum[r * WORKGROUP + owner][s] += a_value * b_value[s]; }
      }
    }
  }

  // A count that only the running kernel knows keeps the compiler from unrolling this loop: compiled in a tenth of the
  // time (lavapipe, 2026-11).
  let rows = min(TILE_M, params.m - first_row);
  for (var r = 0u; r < rows; r++) {
    for (var s = 0u; s < TILE_N; s++) {
      let column = first_column + s * WORKGROUP;
      if (column < params.n) { store(first_row + r, column, sum[r][s]); }
    }
  }
}
