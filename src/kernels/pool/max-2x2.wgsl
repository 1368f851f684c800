// The pooling of max-pool.wgsl for windows of 2 × 2 side by side: an invocation takes four pixels of two rows, which are
// two windows. Q = W / 4 is whole and H even, so that the rows of all planes are numbered without gaps: output row i
// lies below input rows 2 · i and 2 · i + 1.
// Joined behind division.wgsl, nan.wgsl and window-2x2.wgsl.
// Compiled in: RELU.
// Grid: that of run.wgsl, which it stands in front of, over the pairs of windows.

struct Params {
  // Pairs of windows.
  size: u32,
  // Q, vectors of four in an input row.
  row_size: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out: array<vec2f>;

fn write_element(index: u32) {
  let upper = index + divide(index, params.row_size) * params.row_size;
  let above = x[upper];
  let below = x[upper + params.row_size];
  let left = maximum(vec4f(above.xy, below.xy)).value;
  let right = maximum(vec4f(above.zw, below.zw)).value;
  var maxima = vec2f(left, right);
  if (RELU) { maxima = select(maxima, vec2f(), maxima <= vec2f()); }
  out[index] = maxima;
}
