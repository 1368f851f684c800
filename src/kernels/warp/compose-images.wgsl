// out[b, c, y, x] = pixel · scale[c] + offset[c], where pixel is, within box b, the second image as warp 2b + 1 has it, and
// elsewhere its 8-bit blend with the first image as warp 2b has it; both are what sample.wgsl makes, black outside.
// scale = 1 / (255·std), offset = −mean / std. An image is not read where it does not count.
// `images` [n, C, H, W] is packed four pixels a word; `out` is f32.
// Joined behind division.wgsl, pixel.wgsl, sample.wgsl and write-fours.wgsl or write-numbers.wgsl, which declares `out`.
// Compiled in: OUT_BINDING, WORKGROUP. Grid: that of warp-blends.wgsl.

struct Params {
  scale: vec4f, offset: vec4f,
  groups_per_image: u32, batch: u32, last_image: u32, channels: u32,
  height: u32, width: u32, strips: u32,
  words: u32, step_y: u32, step_x: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> images: array<u32>;
@group(0) @binding(2) var<storage, read> first: array<u32>;
@group(0) @binding(3) var<storage, read> second: array<u32>;
@group(0) @binding(4) var<storage, read> weight: array<u32>;
@group(0) @binding(5) var<storage, read> box: array<u32>;
@group(0) @binding(6) var<storage, read> warps: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let item = group.y * groups.x + group.x;
  let b = item / params.groups_per_image;
  if (b >= params.batch) { return; }
  let strip = (item % params.groups_per_image) * WORKGROUP + local;
  let y = divide(strip, params.strips);
  if (y >= params.height) { return; }

  let plane = params.height * params.width;
  let size = params.channels * plane;
  let one = Pair(min(first[b], params.last_image) * size, 0u, 65536u, true);
  let other = Pair(min(second[b], params.last_image) * size, 0u, 65536u, true);
  let share = weight[b];
  let rows = box[2u * b];
  let columns = box[2u * b + 1u];
  let left = vec4u(columns & 0xffffu);
  let right = vec4u(columns >> 16u);
  let in_rows = vec4<bool>(y >= (rows & 0xffffu) && y < (rows >> 16u));
  let one_line = line_at(warp_at(2u * b), y);
  let other_line = line_at(warp_at(2u * b + 1u), y);
  for (var x = 4u * (strip - y * params.strips); x < params.width; x += 4u * params.strips) {
    let places = vec4u(x) + vec4u(0u, 1u, 2u, 3u);
    let inside = in_rows & (places >= left) & (places < right);
    // The shares of the first image.
    let shares = select(vec4u(share), vec4u(0u), inside);
    let reads_one = any(shares != vec4u(0u));
    let reads_other = any(shares != vec4u(65536u));
    let one_taps = taps_at(one_line, x);
    let other_taps = taps_at(other_line, x);
    for (var channel = 0u; channel < params.channels; channel++) {
      var one_pixels = vec4u(0u);
      var other_pixels = vec4u(0u);
      if (reads_one) { one_pixels = sampled(one, channel * plane, one_taps); }
      if (reads_other) { other_pixels = sampled(other, channel * plane, other_taps); }
      let values = vec4f(blended(one_pixels, other_pixels, shares)) * params.scale[channel] + params.offset[channel];
      write_four(b * size + channel * plane + y * params.width + x, values, params.width - x);
    }
  }
}
