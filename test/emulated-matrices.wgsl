// Module for tests: what src/tensor/subgroup-matrix/matrices.wgsl and the module behind it declare, in plain WGSL, for
// devices without subgroup matrices. Every invocation holds and multiplies the whole matrices, and all of a subgroup
// store the same numbers.
// Compiled in: MATRIX_M, MATRIX_N, MATRIX_K.

alias Left = array<f16, MATRIX_M * MATRIX_K>;
alias Right = array<f16, MATRIX_K * MATRIX_N>;
alias Result = array<f32, MATRIX_M * MATRIX_N>;

fn load_left(offset: u32) -> Left {
  var left: Left;
  for (var e = 0u; e < MATRIX_M * MATRIX_K; e++) {
    left[e] = left_tile[offset + e / MATRIX_K * LEFT_STRIDE + e % MATRIX_K];
  }
  return left;
}

fn load_right(offset: u32) -> Right {
  var right: Right;
  for (var e = 0u; e < MATRIX_K * MATRIX_N; e++) {
    right[e] = right_tile[offset + e / MATRIX_N * RIGHT_STRIDE + e % MATRIX_N];
  }
  return right;
}

fn multiply_add(left: Left, right: Right, sum: Result) -> Result {
  var result = sum;
  for (var e = 0u; e < MATRIX_M * MATRIX_N; e++) {
    for (var p = 0u; p < MATRIX_K; p++) {
      result[e] += f32(left[e / MATRIX_N * MATRIX_K + p]) * f32(right[p * MATRIX_N + e % MATRIX_N]);
    }
  }
  return result;
}

fn store_result(offset: u32, value: Result) {
  for (var e = 0u; e < MATRIX_M * MATRIX_N; e++) {
    result_tile[offset + e / MATRIX_N * RESULT_STRIDE + e % MATRIX_N] = value[e];
  }
}
