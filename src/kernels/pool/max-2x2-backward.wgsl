// The gradient of max-pool-backward.wgsl for windows of 2 × 2 side by side, two windows an invocation: the layout is
// that of max-2x2.wgsl. The maxima are found anew, so that the pooling's result is not read.
// Joined behind division.wgsl, nan.wgsl and window-2x2.wgsl.
// Compiled in: RELU (what is not above 0 has no gradient).
// Grid: that of run.wgsl, which it stands in front of, over the pairs of windows.

struct Params {
  size: u32,
  row_size: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> d_out: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> d_x: array<vec4f>;

fn of_window(pixels: vec4f, gradient: f32) -> vec4f {
  let first = maximum(pixels);
  let passes = !RELU || first.value > 0.0;
  return select(vec4f(), vec4f(gradient), (vec4u(first.place) == vec4u(0u, 1u, 2u, 3u)) & vec4<bool>(passes));
}

fn write_element(index: u32) {
  let upper = index + divide(index, params.row_size) * params.row_size;
  let lower = upper + params.row_size;
  let above = x[upper];
  let below = x[lower];
  let gradient = d_out[index];
  let left = of_window(vec4f(above.xy, below.xy), gradient.x);
  let right = of_window(vec4f(above.zw, below.zw), gradient.y);
  d_x[upper] = vec4f(left.xy, right.xy);
  d_x[lower] = vec4f(left.zw, right.zw);
}
