// out[p, i, j] = the largest x[p, r, c] of the window of (i, j); NaN where one of them is NaN. Planes p = N · C, f32,
// x planes × height × width, out planes × out_height × out_width.
// Then max(0, ·) where asked.
// Joined behind nan.wgsl and geometry.wgsl.
// Compiled in: RELU.
// Grid: that of run.wgsl, which it stands in front of, over the output pixels.

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

fn write_element(index: u32) {
  let pixel = pixel_of(index, params.out_height, params.out_width);
  let rows = window_range(pixel.row, params.kernel_height, params.height);
  let columns = window_range(pixel.column, params.kernel_width, params.width);
  let plane = pixel.plane * params.height * params.width;

  var best = x[plane + rows.first * params.width + columns.first];
  for (var row = rows.first; row < rows.end; row++) {
    for (var column = columns.first; column < columns.end; column++) {
      let value = x[plane + row * params.width + column];
      if (is_nan(value) || (value > best && !is_nan(best))) { best = value; }
    }
  }
  if (RELU) { best = select(best, 0.0, best <= 0.0); }
  out[index] = best;
}
