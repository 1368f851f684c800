// What the operands modules of correlation.wgsl, which it follows, share (see gemm/tile.wgsl): rows are output
// channels, columns output pixels of all images, and sums run over taps (c, ky, kx).

// Address of a row's first weight, counted from weight_first.
alias Row = u32;

const A_ALONG_K = true;
const B_ALONG_K = false;

fn extent() -> Extent {
  return Extent(params.o, params.n * params.oh * params.ow, params.c * params.kh * params.kw, params.part_depth);
}

fn find_row(i: u32) -> Row { return i * params.weight_o; }

// Parts follow one another as further images do.
fn store_sum(part: u32, i: u32, j: u32, sum: f32) {
  let area = params.oh * params.ow;
  out[((part * params.n + j / area) * params.o + i) * area + j % area] = finished(sum, i);
}
