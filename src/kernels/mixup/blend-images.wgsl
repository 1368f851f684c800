// out[b, c, y, x] = pixel · scale[c] + offset[c], where pixel is the 8-bit blend of images first[b] and second[b] at
// (y + shift_y, x' + shift_x), x' = x or W − 1 − x; black where that lies outside. scale = 1 / (255·std) and
// offset = −mean / std. Shifts and flip come from Philox with counter (b, step, AUGMENT_STREAM, 0) and key (seed, 0).
// `images` [n, C, H, W] is packed four pixels a word; `out` is f32.
// Joined behind division.wgsl, philox.wgsl, pixel.wgsl and write-fours.wgsl or write-numbers.wgsl, which declares `out`.
// Grid: linear, `groups_per_image` workgroups for each image. An invocation makes PER_INVOCATION times four pixels of a
// row: random numbers are drawn once for all of these, and a word is read once, not four times.

struct Params {
  scale: vec4f, offset: vec4f,
  groups_per_image: u32, batch: u32, last_image: u32,
  // Of one image, all channels.
  pixels: u32, rows: u32,
  height: u32, width: u32,
  augment: u32, crop: u32, flip: u32, seed: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> images: array<u32>;
@group(0) @binding(2) var<storage, read> first: array<u32>;
@group(0) @binding(3) var<storage, read> second: array<u32>;
@group(0) @binding(4) var<storage, read> weight: array<u32>;
@group(0) @binding(5) var<storage, read> counter: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let item = group.y * groups.x + group.x;
  let b = item / params.groups_per_image;
  if (b >= params.batch) { return; }
  let a_image = min(first[b], params.last_image) * params.pixels;
  let b_image = min(second[b], params.last_image) * params.pixels;
  let weights = vec4u(weight[b]);
  let height = i32(params.height);
  let width = i32(params.width);
  var shift_y = 0;
  var shift_x = 0;
  var flip = false;
  if (params.augment != 0u) {
    let words = philox(vec4u(b, counter[0], AUGMENT_STREAM, 0u), vec2u(params.seed, 0u));
    let shifts = 2u * params.crop + 1u;
    shift_y = i32(words.x % shifts) - i32(params.crop);
    shift_x = i32(words.y % shifts) - i32(params.crop);
    flip = params.flip != 0u && (words.z >> 31u) == 1u;
  }

  let fours_per_row = (params.width + 3u) / 4u;
  let start = (item % params.groups_per_image) * WORKGROUP * PER_INVOCATION + local;
  for (var step = 0u; step < PER_INVOCATION; step++) {
    let four = start + step * WORKGROUP;
    let row = divide(four, fours_per_row);
    if (row >= params.rows) { return; }
    let x = 4u * (four - row * fours_per_row);
    let channel = divide(row, params.height);
    let source_y = i32(row - channel * params.height) + shift_y;
    // The leftmost of the four pixels in the source; a flip takes them from right to left.
    let source_x = select(i32(x), width - 4 - i32(x), flip) + shift_x;
    let source = (i32(channel) * height + source_y) * width + source_x;
    var pixels = blended(four_pixels(a_image + u32(source)), four_pixels(b_image + u32(source)), weights);
    let columns = vec4i(source_x) + vec4i(0, 1, 2, 3);
    let inside = (columns >= vec4i(0)) & (columns < vec4i(width));
    pixels = select(vec4u(0u), pixels, inside & vec4<bool>(source_y >= 0 && source_y < height));
    pixels = select(pixels, pixels.wzyx, flip);

    let values = vec4f(pixels) * params.scale[channel] + params.offset[channel];
    write_four(b * params.pixels + row * params.width + x, values, params.width - x);
  }
}
