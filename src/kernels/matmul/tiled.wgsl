// The matrix product of product.wgsl, which it follows.
// A workgroup of 16 × 16 invocations computes a 64 × 64 tile of C, 4 × 4 elements each, from tiles of A and B in
// workgroup memory: for GPUs.
// Grid: linear over ⌈M / 64⌉ · ⌈N / 64⌉ tiles, row by row, one to a workgroup.

const TILE = 64u;
const TILE_K = 16u;
const SIDE = 16u;
const PER_THREAD = TILE / SIDE;

var<workgroup> a_tile: array<array<f32, TILE>, TILE_K>;
var<workgroup> b_tile: array<array<f32, TILE>, TILE_K>;

fn load_a(row: u32, p: u32) -> f32 {
  if (row >= params.m || p >= params.k) { return 0.0; }
  return a[row * params.a_row + p * params.a_column];
}

fn load_b(p: u32, column: u32) -> f32 {
  if (column >= params.n || p >= params.k) { return 0.0; }
  return b[p * params.b_row + column * params.b_column];
}

@compute @workgroup_size(SIDE, SIDE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let workgroup = group.y * groups.x + group.x;
  let tiles_in_row = (params.n + TILE - 1u) / TILE;
  let first_row = workgroup / tiles_in_row * TILE;
  let first_column = workgroup % tiles_in_row * TILE;
  if (first_row >= params.m) { return; }
  var sum: array<array<f32, PER_THREAD>, PER_THREAD>;

  for (var first_p = 0u; first_p < params.k; first_p += TILE_K) {
    for (var item = index; item < TILE * TILE_K; item += SIDE * SIDE) {
      // Neighbouring invocations read neighbouring addresses, whichever axis is contiguous.
      let along = item % TILE;
      let across = item / TILE;
      let a_along = select(item / TILE_K, along, params.a_row == 1u);
      let a_across = select(item % TILE_K, across, params.a_row == 1u);
      a_tile[a_across][a_along] = load_a(first_row + a_along, first_p + a_across);
      let b_along = select(along, item / TILE_K, params.b_row == 1u);
      let b_across = select(across, item % TILE_K, params.b_row == 1u);
      b_tile[b_across][b_along] = load_b(first_p + b_across, first_column + b_along);
    }
    workgroupBarrier();
    for (var p = 0u; p < TILE_K; p++) {
      var b_value: array<f32, PER_THREAD>;
      for (var s = 0u; s < PER_THREAD; s++) { b_value[s] = b_tile[p][local.x + s * SIDE]; }
      for (var r = 0u; r < PER_THREAD; r++) {
        let a_value = a_tile[p][local.y + r * SIDE];
        for (var s = 0u; s < PER_THREAD; s++) { sum[r][s] += a_value * b_value[s]; }
      }
    }
    workgroupBarrier();
  }

  for (var r = 0u; r < PER_THREAD; r++) {
    let row = first_row + local.y + r * SIDE;
    for (var s = 0u; s < PER_THREAD; s++) {
      let column = first_column + local.x + s * SIDE;
      if (row < params.m && column < params.n) { store(row, column, sum[r][s]); }
    }
  }
}
