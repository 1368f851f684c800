// The weights' gradient of weight-gradient.wgsl, which it follows, as a matrix product: rows are output channels, columns
// taps (c, ky, kx), and sums run over the output pixels of a part's images. A workgroup of 16 × 16 invocations computes
// a 64 × 64 tile of one part, 4 × 4 elements each, from tiles in workgroup memory: for GPUs.
// Grid: [⌈C · KH · KW / 64⌉, ⌈O / 64⌉, parts].

const TILE = 64u;
const TILE_K = 16u;
const SIDE = 16u;
const PER_THREAD = TILE / SIDE;
const LANES = SIDE * SIDE;

var<workgroup> gradients: array<array<f32, TILE>, TILE_K>;
var<workgroup> pixels: array<array<f32, TILE>, TILE_K>;
// Of the output pixels in the tile: first row and column of the window, row of the image's first pixel, address in d_out.
var<workgroup> windows: array<vec4u, TILE_K>;

fn find_window(position: u32) -> vec4u {
  let area = params.oh * params.ow;
  let n = position / area;
  let top = position % area / params.ow * params.stride - params.padding;
  let left = position % params.ow * params.stride - params.padding;
  return vec4u(top, left, n * params.c * params.h, n * params.o * area + position % area);
}

@compute @workgroup_size(SIDE, SIDE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let area = params.oh * params.ow;
  let columns = params.c * params.kh * params.kw;
  let first_column = group.x * TILE;
  let first_row = group.y * TILE;
  let first = group.z * params.images_per_part * area;
  let end = min(group.z * params.images_per_part + params.images_per_part, params.n) * area;

  // Each invocation loads pixels under one tap only.
  let own = first_column + index % TILE;
  let kx = own % params.kw;
  let ky = own / params.kw % params.kh;
  let channel_row = own / (params.kw * params.kh) * params.h;

  var sum: array<array<f32, PER_THREAD>, PER_THREAD>;
  if (index < TILE_K) { windows[index] = find_window(first + index); }
  workgroupBarrier();
  for (var position = first; position < end; position += TILE_K) {
    for (var k = index / TILE; k < TILE_K; k += LANES / TILE) {
      let window = windows[k];
      let row = window.x + ky;
      let column = window.y + kx;
      var value = 0.0;
      if (position + k < end && own < columns && row < params.h && column < params.w) {
        value = image[(window.z + channel_row + row) * params.w + column];
      }
      pixels[k][index % TILE] = value;
    }
    for (var o = index / TILE_K; o < TILE; o += LANES / TILE_K) {
      let k = index % TILE_K;
      var value = 0.0;
      if (position + k < end && first_row + o < params.o) { value = d_out[windows[k].w + (first_row + o) * area]; }
      gradients[k][o] = value;
    }
    workgroupBarrier();
    if (index < TILE_K) { windows[index] = find_window(position + TILE_K + index); }
    for (var k = 0u; k < TILE_K; k++) {
      var pixel: array<f32, PER_THREAD>;
      for (var s = 0u; s < PER_THREAD; s++) { pixel[s] = pixels[k][local.x + s * SIDE]; }
      for (var r = 0u; r < PER_THREAD; r++) {
        let value = gradients[k][local.y + r * SIDE];
        for (var s = 0u; s < PER_THREAD; s++) { sum[r][s] += value * pixel[s]; }
      }
    }
    workgroupBarrier();
  }

  for (var r = 0u; r < PER_THREAD; r++) {
    let o = first_row + local.y + r * SIDE;
    for (var s = 0u; s < PER_THREAD; s++) {
      let column = first_column + local.x + s * SIDE;
      if (o < params.o && column < columns) { parts[(group.z * params.o + o) * columns + column] = sum[r][s]; }
    }
  }
}
