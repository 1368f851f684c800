// Sizes of a pooling and the windows of its pixels. Stands behind division.wgsl and in front of each
// pooling kernel.

struct Params {
  // Elements that the launch writes: of the result, or of the input's gradient.
  size: u32,
  height: u32, width: u32, out_height: u32, out_width: u32,
  kernel_height: u32, kernel_width: u32, stride: u32, padding: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

// Rows or columns `first` to `end` − 1.
struct Range {
  first: u32,
  end: u32,
}

// Which pixel element `index` of planes of `height` × `width` is.
struct Pixel {
  plane: u32,
  row: u32,
  column: u32,
}

fn pixel_of(index: u32, height: u32, width: u32) -> Pixel {
  let line = divide(index, width);
  let plane = divide(line, height);
  return Pixel(plane, line - plane * height, index - line * width);
}

// The pixels of an axis that are in the window of output pixel `position`, without the padding.
fn window_range(position: u32, kernel: u32, length: u32) -> Range {
  let start = position * params.stride;
  return Range(max(start, params.padding) - params.padding, min(start + kernel - params.padding, length));
}

// The output pixels of an axis whose windows hold input pixel `position`.
fn covering_range(position: u32, kernel: u32, out_length: u32) -> Range {
  let padded = position + params.padding;
  var first = 0u;
  if (padded >= kernel) { first = divide(padded - kernel, params.stride) + 1u; }
  return Range(first, min(divide(padded, params.stride) + 1u, out_length));
}
