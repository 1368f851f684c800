// Module: loads and stores of matrices.wgsl, which it follows, where whether elements stand column by column is an
// argument.

fn load_left(offset: u32) -> Left { return subgroupMatrixLoad<Left>(&left_tile, offset, false, LEFT_STRIDE); }

fn load_right(offset: u32) -> Right { return subgroupMatrixLoad<Right>(&right_tile, offset, false, RIGHT_STRIDE); }

fn store_result(offset: u32, value: Result) {
  subgroupMatrixStore(&result_tile, offset, value, false, RESULT_STRIDE);
}
