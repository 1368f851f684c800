// What the kernels of conv2d's forward pass and of its input's gradient compute (`Correlation` in correlation.ts):
//   out[n, o, y, x] = Σ_{c, ky, kx} W(o, c, ky, kx) · image[n, c, (y·step + ky − padding_y) / dilation,
//                                                           (x·step + kx − padding_x) / dilation] + bias[o]
// over the taps whose division leaves no rest and that fall on the image; then max(0, ·) where asked.
// W(o, c, ky, kx) = weight[weight_first + o · weight_o + c · weight_c + (ky · kw + kx) · weight_tap].
// The sums wrap round modulo 2^32: `padding_…` and `weight_tap` may stand for negative numbers, and what lies left of or
// above the image becomes a number past its end.

struct Params {
  n: u32, c: u32, h: u32, w: u32,
  o: u32, oh: u32, ow: u32,
  kh: u32, kw: u32,
  step: u32, dilation: u32, padding_y: u32, padding_x: u32,
  weight_first: u32, weight_o: u32, weight_c: u32, weight_tap: u32,
  has_bias: u32, relu: u32,
  // Of tiles that sum in parts: how many taps a part covers.
  part_depth: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> image: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

/// The row (or column) of the image for `position` = y·step + ky − padding_y, or a number past every image.
fn undilated(position: u32) -> u32 {
  if (params.dilation == 1u) { return position; }
  let quotient = position / params.dilation;
  return select(0xffffffffu, quotient, quotient * params.dilation == position);
}

/// The output for a sum of products of output channel `o`.
fn finished(sum: f32, o: u32) -> f32 {
  var value = sum;
  if (params.has_bias != 0u) { value += bias[o]; }
  if (params.relu != 0u) { value = select(value, 0.0, value <= 0.0); }
  return value;
}
