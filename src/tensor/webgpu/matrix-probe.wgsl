// c[i, j] = Σ_p A[i, p] · B[p, j] by the modules of ../subgroup-matrix, which it follows: what the probe runs to learn
// whether they work. A is [2M, 2K], of whole numbers (3i + 5p) mod 32, B [2K, N], of (7p + j) mod 31; sums go beyond 2048,
// where f32 holds every whole number and f16 does not.
// Each of two subgroups makes one matrix of C, from tiles in workgroup memory, with a barrier between two steps of p: as
// the kernels do.
// Compiled in: SUBGROUP_SIZE.
// Grid: [1, 1, 1].

const THREADS = 2 * SUBGROUP_SIZE;
const LEFT_STRIDE = MATRIX_K + 8;
const RIGHT_STRIDE = MATRIX_N + 8;
const RESULT_STRIDE = MATRIX_N + 8;

@group(0) @binding(0) var<storage, read_write> c: array<f32>;

var<workgroup> left_tile: array<f16, 2 * MATRIX_M * LEFT_STRIDE>;
var<workgroup> right_tile: array<f16, MATRIX_K * RIGHT_STRIDE>;
var<workgroup> result_tile: array<f32, 2 * MATRIX_M * RESULT_STRIDE>;

@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) index: u32, @builtin(subgroup_id) subgroup: u32) {
  var sum: Result;
  for (var step = 0u; step < 2u; step++) {
    let first_p = step * MATRIX_K;
    for (var item = index; item < 2 * MATRIX_M * MATRIX_K; item += THREADS) {
      let i = item / MATRIX_K;
      let p = item % MATRIX_K;
      left_tile[i * LEFT_STRIDE + p] = f16((3u * i + 5u * (first_p + p)) % 32u);
    }
    for (var item = index; item < MATRIX_K * MATRIX_N; item += THREADS) {
      let p = item / MATRIX_N;
      let j = item % MATRIX_N;
      right_tile[p * RIGHT_STRIDE + j] = f16((7u * (first_p + p) + j) % 31u);
    }
    workgroupBarrier();
    sum = multiply_add(load_left(subgroup * MATRIX_M * LEFT_STRIDE), load_right(0u), sum);
    workgroupBarrier();
  }
  store_result(subgroup * MATRIX_M * RESULT_STRIDE, sum);
  workgroupBarrier();
  for (var item = index; item < 2 * MATRIX_M * MATRIX_N; item += THREADS) {
    c[item] = result_tile[item / MATRIX_N * RESULT_STRIDE + item % MATRIX_N];
  }
}
