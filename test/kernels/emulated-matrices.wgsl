// Module for tests: what src/tensor/subgroup-matrix/matrices.wgsl and the module behind it declare, in plain WGSL, for
// devices without subgroup matrices. Operands stay in their tiles until they are multiplied; of a result each invocation
// of the subgroup holds the elements whose number is its own, modulo the subgroup's size.
// Compiled in: MATRIX_M, MATRIX_N, MATRIX_K, SUBGROUP_SIZE, which divides MATRIX_M · MATRIX_N.

const OWN = MATRIX_M * MATRIX_N / SUBGROUP_SIZE;

// Where they begin in left_tile and right_tile.
alias Left = u32;
alias Right = u32;
alias Result = array<f32, OWN>;

fn load_left(offset: u32) -> Left { return offset; }

fn load_right(offset: u32) -> Right { return offset; }

// Number of the `o`th element of a result that the invocation holds.
fn element(o: u32) -> u32 { return subgroupExclusiveAdd(1u) + o * SUBGROUP_SIZE; }

// The sides, as counts that only the running program knows (`c` is what it writes): this keeps compilers from unrolling
// the loops, which takes them seconds.
fn some(count: u32) -> u32 { return min(count, 1024u * arrayLength(&c)); }

fn multiply_add(left: Left, right: Right, sum: Result) -> Result {
  var result = sum;
  for (var o = 0u; o < some(OWN); o++) {
    let e = element(o);
    for (var p = 0u; p < some(MATRIX_K); p++) {
      let left_value = left_tile[left + e / MATRIX_N * LEFT_STRIDE + p];
      result[o] += f32(left_value) * f32(right_tile[right + p * RIGHT_STRIDE + e % MATRIX_N]);
    }
  }
  return result;
}

fn store_result(offset: u32, value: Result) {
  for (var o = 0u; o < some(OWN); o++) {
    let e = element(o);
    result_tile[offset + e / MATRIX_N * RESULT_STRIDE + e % MATRIX_N] = value[o];
  }
}
