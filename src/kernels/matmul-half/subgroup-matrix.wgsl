// The matrix product of product.wgsl, by matrices that a subgroup multiplies at once (tensor cores): follows that and
// the modules of src/tensor/subgroup-matrix.
// A workgroup of SUBGROUPS_M × SUBGROUPS_N subgroups computes a TILE_M × TILE_N tile of C, TILE_K steps of K at a time,
// from tiles of A and B in workgroup memory; each subgroup holds DOWN × ACROSS matrices of sums. Past the edges of A and
// B the tiles are 0, and what lies past those of C is not stored: matrices go from and to workgroup memory alone, since
// nothing keeps them within a buffer.
// Compiled in: TILE_M, TILE_N, TILE_K, SUBGROUPS_M, SUBGROUPS_N, SUBGROUP_SIZE, MATRIX_M, MATRIX_N, MATRIX_K, each side
// of a tile a multiple of what it is made of; A_ALONG_K, B_ALONG_K, whether neighbours in memory are neighbours along K,
// or else along the rows of A or the columns of B; A_PAIRS, B_PAIRS, whether a pair in memory never runs past the end of
// that axis, since that is even.
// Grid: linear over ⌈M / TILE_M⌉ · ⌈N / TILE_N⌉ tiles, row by row, one to a workgroup.

const THREADS = SUBGROUPS_M * SUBGROUPS_N * SUBGROUP_SIZE;
const DOWN = TILE_M / SUBGROUPS_M / MATRIX_M;
const ACROSS = TILE_N / SUBGROUPS_N / MATRIX_N;

// Rows of the tiles are 16 bytes longer than need be, so that neighbours along a column lie in different banks of memory.
const LEFT_STRIDE = TILE_K + 8;
const RIGHT_STRIDE = TILE_N + 8;
const RESULT_STRIDE = MATRIX_N;

var<workgroup> left_tile: array<f16, TILE_M * LEFT_STRIDE>;
var<workgroup> right_tile: array<f16, TILE_K * RIGHT_STRIDE>;
// A matrix for each subgroup.
var<workgroup> result_tile: array<f32, SUBGROUPS_M * SUBGROUPS_N * MATRIX_M * RESULT_STRIDE>;

// Copies A's rows from `first_row` and steps from `first_p` on to left_tile, two at a time.
fn load_a(first_row: u32, first_p: u32, index: u32) {
  for (var item = index; item < TILE_M * TILE_K / 2; item += THREADS) {
    let i = select(2 * item % TILE_M, 2 * item / TILE_K, A_ALONG_K);
    let p = select(2 * item / TILE_M, 2 * item % TILE_K, A_ALONG_K);
    let row = first_row + i;
    let step = first_p + p;
    let address = row * params.a_row + step * params.a_column;
    var pair = vec2<f16>();
    if (row < params.m && step < params.k) {
      if (A_PAIRS) {
        pair = a[address / 2];
      } else {
        pair.x = f16(a_at(address));
        let last = select(row + 1u >= params.m, step + 1u >= params.k, A_ALONG_K);
        if (!last) { pair.y = f16(a_at(address + 1u)); }
      }
    }
    let place = i * LEFT_STRIDE + p;
    left_tile[place] = pair.x;
    left_tile[place + select(LEFT_STRIDE, 1u, A_ALONG_K)] = pair.y;
  }
}

// Copies B's steps from `first_p` and columns from `first_column` on to right_tile, two at a time.
fn load_b(first_p: u32, first_column: u32, index: u32) {
  for (var item = index; item < TILE_K * TILE_N / 2; item += THREADS) {
    let j = select(2 * item % TILE_N, 2 * item / TILE_K, B_ALONG_K);
    let p = select(2 * item / TILE_N, 2 * item % TILE_K, B_ALONG_K);
    let column = first_column + j;
    let step = first_p + p;
    let address = step * params.b_row + column * params.b_column;
    var pair = vec2<f16>();
    if (column < params.n && step < params.k) {
      if (B_PAIRS) {
        pair = b[address / 2];
      } else {
        pair.x = f16(b_at(address));
        let last = select(column + 1u >= params.n, step + 1u >= params.k, B_ALONG_K);
        if (!last) { pair.y = f16(b_at(address + 1u)); }
      }
    }
    let place = p * RIGHT_STRIDE + j;
    right_tile[place] = pair.x;
    right_tile[place + select(1u, RIGHT_STRIDE, B_ALONG_K)] = pair.y;
  }
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) index: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let tile = group.y * groups.x + group.x;
  let tiles_in_row = (params.n + TILE_N - 1u) / TILE_N;
  let first_row = tile / tiles_in_row * TILE_M;
  let first_column = tile % tiles_in_row * TILE_N;
  if (first_row >= params.m) { return; }
  // Where the subgroup's matrices begin in the tile.
  let own_row = subgroup / SUBGROUPS_N * DOWN * MATRIX_M;
  let own_column = subgroup % SUBGROUPS_N * ACROSS * MATRIX_N;

  var sum: array<array<Result, ACROSS>, DOWN>;
  for (var first_p = 0u; first_p < params.k; first_p += TILE_K) {
    load_a(first_row, first_p, index);
    load_b(first_p, first_column, index);
    workgroupBarrier();
    for (var p = 0u; p < TILE_K; p += MATRIX_K) {
      var right: array<Right, ACROSS>;
      for (var s = 0u; s < ACROSS; s++) { right[s] = load_right(p * RIGHT_STRIDE + own_column + s * MATRIX_N); }
      for (var r = 0u; r < DOWN; r++) {
        let left = load_left((own_row + r * MATRIX_M) * LEFT_STRIDE + p);
        for (var s = 0u; s < ACROSS; s++) { sum[r][s] = multiply_add(left, right[s], sum[r][s]); }
      }
    }
    workgroupBarrier();
  }

  let own_result = subgroup * MATRIX_M * RESULT_STRIDE;
  for (var r = 0u; r < DOWN; r++) {
    for (var s = 0u; s < ACROSS; s++) {
      store_result(own_result, sum[r][s]);
      workgroupBarrier();
      for (var item = lane; item < MATRIX_M * MATRIX_N; item += SUBGROUP_SIZE) {
        let row = first_row + own_row + r * MATRIX_M + item / MATRIX_N;
        let column = first_column + own_column + s * MATRIX_N + item % MATRIX_N;
        if (row < params.m && column < params.n) {
          store(row, column, result_tile[own_result + item / MATRIX_N * RESULT_STRIDE + item % MATRIX_N]);
        }
      }
      workgroupBarrier();
    }
  }
}
