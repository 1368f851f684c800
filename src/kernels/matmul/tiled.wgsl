// The matrix product of product.wgsl, which it follows, as operands of gemm/tile.wgsl, which follows it.
// Compiled in: A_ALONG_K, B_ALONG_K.

// Addresses of a row's, column's and step's first element.
alias Row = u32;
alias Column = u32;
alias Step = u32;

const SHARED_STEPS = false;

fn extent() -> Extent { return Extent(params.m, params.n, params.k, params.part_depth); }

fn find_row(i: u32) -> Row { return i * params.a_row; }

fn find_column(j: u32) -> Column { return j * params.b_column; }

fn find_step(k: u32) -> Step { return k; }

fn read_a(row: Row, step: Step) -> f32 { return a_at(row + step * params.a_column); }

fn read_b(step: Step, column: Column) -> f32 { return b_at(step * params.b_row + column); }

// Parts stand one below the other, each as tall as C.
fn store_sum(part: u32, i: u32, j: u32, sum: f32) { store(part * params.m + i, j, sum); }
