// out[p·L + l, c, y, x] = max over the window of (y, x) of w·A + (1 − w)·B, + bias[c], then max(0, ·) where asked. A and B
// are planes c of features first[p·L] and second[p·L], and w = weight[p·L + l] / 65536: L blends in a row are of the same
// two images. NaN where a blend in the window is NaN.
// `features` [n, C, H, W] and `out` [P·L, C, OH, OW], f32; `out` is written as bits: WGSL has no way to write NaN.
// Compiled in: SIDE of the window, 1 where nothing is pooled; STRIP, how many x next to each other are one element.
// Joined behind division.wgsl and nan.wgsl. Grid: that of run.wgsl, which it stands in front of, over p, c, y and strips:
// an invocation reads both windows of an x once and writes the L blends of them.

struct Params {
  // P · C · OH · ⌈OW / STRIP⌉.
  size: u32,
  per_pair: u32, last_image: u32,
  channels: u32, height: u32, width: u32,
  out_height: u32, out_width: u32, stride: u32,
  has_bias: u32, relu: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> features: array<f32>;
@group(0) @binding(2) var<storage, read> first: array<u32>;
@group(0) @binding(3) var<storage, read> second: array<u32>;
@group(0) @binding(4) var<storage, read> weight: array<u32>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;
@group(0) @binding(6) var<storage, read_write> out: array<u32>;

const WINDOW = SIDE * SIDE;
const NAN_BITS = 0x7fc00000u;

fn write_element(index: u32) {
  let strips = (params.out_width + STRIP - 1u) / STRIP;
  let line = divide(index, strips);
  let plane = divide(line, params.out_height);
  let pair = divide(plane, params.channels);
  let channel = plane - pair * params.channels;
  let row = line - plane * params.out_height;
  let first_x = (index - line * strips) * STRIP;

  let blend = pair * params.per_pair;
  let image_size = params.channels * params.height * params.width;
  let corner = (channel * params.height + row * params.stride) * params.width;
  let a_corner = min(first[blend], params.last_image) * image_size + corner;
  let b_corner = min(second[blend], params.last_image) * image_size + corner;
  let blend_size = params.channels * params.out_height * params.out_width;
  let first_place = blend * blend_size + (channel * params.out_height + row) * params.out_width;
  var shift = 0.0;
  if (params.has_bias != 0u) { shift = bias[channel]; }
  for (var x = first_x; x < min(first_x + STRIP, params.out_width); x++) {
    write_blends(blend, a_corner + x * params.stride, b_corner + x * params.stride, shift, first_place + x, blend_size);
  }
}

// All blends, from number `blend` on, of the windows whose first elements are given: the first goes to `first_place`, the
// others `blend_size` apart.
fn write_blends(blend: u32, a_corner: u32, b_corner: u32, shift: f32, first_place: u32, blend_size: u32) {
  var a: array<f32, WINDOW>;
  var b: array<f32, WINDOW>;
  for (var y = 0u; y < SIDE; y++) {
    for (var x = 0u; x < SIDE; x++) {
      a[y * SIDE + x] = features[a_corner + y * params.width + x];
      b[y * SIDE + x] = features[b_corner + y * params.width + x];
    }
  }
  var place = first_place;
  for (var l = blend; l < blend + params.per_pair; l++) {
    let share = f32(weight[l]) / 65536.0;
    let other = 1.0 - share;
    var best = share * a[0] + other * b[0];
    var odd = is_nan(best);
    for (var i = 1u; i < WINDOW; i++) {
      let value = share * a[i] + other * b[i];
      odd |= is_nan(value);
      best = select(best, value, value > best);
    }
    var value = best + shift;
    if (params.relu != 0u) { value = select(value, 0.0, value <= 0.0); }
    out[place] = select(bitcast<u32>(value), NAN_BITS, odd);
    place += blend_size;
  }
}
