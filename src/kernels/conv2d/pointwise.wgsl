// The correlation of correlation.wgsl where the window is one pixel, walks in steps of 1 and sees neither padding nor
// dilation, as operands of gemm/tile.wgsl: follows operands.wgsl.

// Addresses of a column's pixel in the image's first channel.
alias Column = u32;
alias Step = u32;

const SHARED_STEPS = false;

fn find_column(j: u32) -> Column {
  let area = params.oh * params.ow;
  return j / area * params.c * area + j % area;
}

fn find_step(k: u32) -> Step { return k; }

fn read_a(row: Row, step: Step) -> f32 { return weight[params.weight_first + row + step * params.weight_c]; }

fn read_b(step: Step, column: Column) -> f32 { return image[step * params.oh * params.ow + column]; }
