// d_x[p, r, c] = Σ d_out[p, i, j] / (kernel_height · kernel_width) over the windows (i, j) that hold (r, c). Planes
// p = N · C, f32, d_x planes × height × width, d_out planes × out_height × out_width.
// Joined behind geometry.wgsl.
// Grid: that of run.wgsl, which it stands in front of, over the input pixels.

@group(0) @binding(1) var<storage, read> d_out: array<f32>;
@group(0) @binding(2) var<storage, read_write> d_x: array<f32>;

fn write_element(index: u32) {
  let pixel = pixel_of(index, params.height, params.width);
  let rows = covering_range(pixel.row, params.kernel_height, params.out_height);
  let columns = covering_range(pixel.column, params.kernel_width, params.out_width);
  let plane = pixel.plane * params.out_height * params.out_width;

  var total = 0.0;
  for (var i = rows.first; i < rows.end; i++) {
    for (var j = columns.first; j < columns.end; j++) {
      total += d_out[plane + i * params.out_width + j];
    }
  }
  d_x[index] = total / f32(params.kernel_height * params.kernel_width);
}
