// out[p, i, j] = Σ x[p, r, c] over the window of (i, j) / (kernel_height · kernel_width). Planes p = N · C, f32,
// x planes × height × width, out planes × out_height × out_width.
// Joined behind geometry.wgsl.
// Grid: that of run.wgsl, which it stands in front of, over the output pixels.

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

fn write_element(index: u32) {
  let pixel = pixel_of(index, params.out_height, params.out_width);
  let rows = window_range(pixel.row, params.kernel_height, params.height);
  let columns = window_range(pixel.column, params.kernel_width, params.width);
  let plane = pixel.plane * params.height * params.width;

  var total = 0.0;
  for (var row = rows.first; row < rows.end; row++) {
    // Row by row, so that rounding grows with the window's side and not with its area.
    var of_row = 0.0;
    for (var column = columns.first; column < columns.end; column++) {
      of_row += x[plane + row * params.width + column];
    }
    total += of_row;
  }
  out[index] = total / f32(params.kernel_height * params.kernel_width);
}
