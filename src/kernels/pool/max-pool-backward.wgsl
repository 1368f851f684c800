// d_x[p, r, c] = Σ d_out[p, i, j] over the windows (i, j) of which (r, c) is the first maximum, row by row. Planes
// p = N · C, f32, x and d_x planes × height × width, out (the pooling's result) and d_out planes × out_height ×
// out_width.
// Joined behind nan.wgsl and geometry.wgsl. Each input pixel looks at the windows that hold it.
// Compiled in: RELU (what is not above 0 has no gradient).
// Grid: that of run.wgsl, which it stands in front of, over the input pixels.

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> out: array<f32>;
@group(0) @binding(3) var<storage, read> d_out: array<f32>;
@group(0) @binding(4) var<storage, read_write> d_x: array<f32>;

fn is_maximum(value: f32, maximum: f32) -> bool {
  return value == maximum || (is_nan(value) && is_nan(maximum));
}

// Whether no pixel of the window that comes before (row, column) has its maximum.
fn is_first(plane: u32, rows: Range, columns: Range, row: u32, column: u32, maximum: f32) -> bool {
  for (var r = rows.first; r <= row; r++) {
    let end = select(columns.end, column, r == row);
    for (var c = columns.first; c < end; c++) {
      if (is_maximum(x[plane + r * params.width + c], maximum)) { return false; }
    }
  }
  return true;
}

fn write_element(index: u32) {
  let pixel = pixel_of(index, params.height, params.width);
  let out_rows = covering_range(pixel.row, params.kernel_height, params.out_height);
  let out_columns = covering_range(pixel.column, params.kernel_width, params.out_width);

  let plane = pixel.plane * params.height * params.width;
  let value = x[index];
  var gradient = 0.0;
  for (var i = out_rows.first; i < out_rows.end; i++) {
    let rows = window_range(i, params.kernel_height, params.height);
    for (var j = out_columns.first; j < out_columns.end; j++) {
      let place = (pixel.plane * params.out_height + i) * params.out_width + j;
      if (!is_maximum(value, out[place]) || (RELU && !(out[place] > 0.0))) { continue; }
      let columns = window_range(j, params.kernel_width, params.width);
      if (is_first(plane, rows, columns, pixel.row, pixel.column, out[place])) {
        gradient += d_out[place];
      }
    }
  }
  d_x[index] = gradient;
}
