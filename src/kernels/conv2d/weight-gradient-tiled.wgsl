// The weights' gradient of weight-gradient.wgsl, which it follows, as operands of gemm/tile.wgsl, which follows it:
// rows are output channels, columns taps (c, ky, kx), and sums run over the output pixels of all images.

// Address of a row's first pixel in the first image of d_out.
alias Row = u32;
// Of a tap: row of its channel's first pixel, ky, kx.
alias Column = vec3u;
// Of an output pixel: row of the image's first pixel, first row and column of its window, address in d_out.
alias Step = vec4u;

const A_ALONG_K = true;
const B_ALONG_K = true;
const SHARED_STEPS = true;

fn extent() -> Extent {
  return Extent(params.o, params.c * params.kh * params.kw, params.n * params.oh * params.ow, params.part_depth);
}

fn find_row(i: u32) -> Row { return i * params.oh * params.ow; }

fn find_column(j: u32) -> Column {
  let taps = params.kh * params.kw;
  return vec3u(j / taps * params.h, j % taps / params.kw, j % params.kw);
}

fn find_step(k: u32) -> Step {
  let area = params.oh * params.ow;
  let n = k / area;
  let top = k % area / params.ow * params.stride - params.padding;
  let left = k % params.ow * params.stride - params.padding;
  return vec4u(n * params.c * params.h, top, left, n * params.o * area + k % area);
}

fn read_a(row: Row, step: Step) -> f32 { return d_out[step.w + row]; }

fn read_b(step: Step, column: Column) -> f32 {
  let place = step.yz + column.yz;
  if (place.x >= params.h || place.y >= params.w) { return 0.0; }
  return image[(step.x + column.x + place.x) * params.w + place.y];
}

fn store_sum(part: u32, i: u32, j: u32, sum: f32) {
  parts[(part * params.o + i) * params.c * params.kh * params.kw + j] = sum;
}
