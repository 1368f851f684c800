// out[b, c, y, x] = pixel · scale[c] + offset[c], where pixel is what sample.wgsl makes, at the place where warp b puts
// (y, x), of the 8-bit blend of images first[b] and second[b]; black outside. scale = 1 / (255·std), offset = −mean / std.
// `images` [n, C, H, W] is packed four pixels a word; `out` is f32.
// Joined behind division.wgsl, pixel.wgsl, sample.wgsl and write-fours.wgsl or write-numbers.wgsl, which declares `out`.
// Compiled in: OUT_BINDING, WORKGROUP. Grid: linear, `groups_per_image` workgroups for each image. An invocation makes
// some of one row's fours, `strips` apart: what the warp says of the row is looked up once for these.

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
@group(0) @binding(5) var<storage, read> warps: array<u32>;

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
  var a_image = min(first[b], params.last_image);
  let b_image = min(second[b], params.last_image);
  let share = weight[b];
  if (share == 0u) { a_image = b_image; }
  let pair = Pair(a_image * size, b_image * size, share, a_image == b_image || share == 65536u);
  let line = line_at(warp_at(b), y);
  for (var x = 4u * (strip - y * params.strips); x < params.width; x += 4u * params.strips) {
    let taps = taps_at(line, x);
    for (var channel = 0u; channel < params.channels; channel++) {
      let pixels = sampled(pair, channel * plane, taps);
      let values = vec4f(pixels) * params.scale[channel] + params.offset[channel];
      write_four(b * size + channel * plane + y * params.width + x, values, params.width - x);
    }
  }
}
