// Module: loads and stores of matrices.wgsl, which it follows, where the order of elements is a template parameter.

fn load_left(offset: u32) -> Left { return subgroupMatrixLoad<Left, row_major>(&left_tile, offset, LEFT_STRIDE); }

fn load_right(offset: u32) -> Right { return subgroupMatrixLoad<Right, row_major>(&right_tile, offset, RIGHT_STRIDE); }

fn store_result(offset: u32, value: Result) {
  subgroupMatrixStore<row_major>(&result_tile, offset, value, RESULT_STRIDE);
}
