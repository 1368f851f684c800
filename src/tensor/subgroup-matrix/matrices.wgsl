// Module: matrices that a whole subgroup holds and multiplies (tensor cores): f16 times f16, summed in f32.
// Behind it one of two modules says how they are loaded and stored, for WGSL's extension is in flux:
//   load_left(offset) -> Left          MATRIX_M × MATRIX_K elements of left_tile, row by row, LEFT_STRIDE to a row
//   load_right(offset) -> Right        MATRIX_K × MATRIX_N elements of right_tile, RIGHT_STRIDE to a row
//   store_result(offset, Result)       to MATRIX_M × MATRIX_N elements of result_tile, RESULT_STRIDE to a row
// All are called by all of a subgroup, with the same values. Nothing keeps them within the tile.
//
// The kernel declares `left_tile` and `right_tile`, arrays of f16 in workgroup memory, `result_tile`, one of f32, and
// the strides, each a multiple of 8, as offsets are. It does no subgroup arithmetic: with it beside matrices, drivers of
// NVIDIA have crashed.
// Compiled in: MATRIX_M, MATRIX_N, MATRIX_K, a combination that the adapter lists.

alias Left = subgroup_matrix_left<f16, MATRIX_K, MATRIX_M>;
alias Right = subgroup_matrix_right<f16, MATRIX_N, MATRIX_K>;
alias Result = subgroup_matrix_result<f32, MATRIX_N, MATRIX_M>;

fn multiply_add(left: Left, right: Right, sum: Result) -> Result {
  return subgroupMatrixMultiplyAccumulate(left, right, sum);
}
