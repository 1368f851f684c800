// The correlation of correlation.wgsl, which it follows, as a matrix product: rows are output channels, columns output
// pixels of all images, and sums run over taps (c, ky, kx). A workgroup of 16 × 16 invocations computes a 64 × 64 tile,
// 4 × 4 outputs each, from tiles of weights and of image pixels in workgroup memory: for GPUs.
// Grid: [⌈N · OH · OW / 64⌉ in two axes (linear), …, ⌈O / 64⌉].

const TILE = 64u;
const TILE_K = 16u;
const SIDE = 16u;
const PER_THREAD = TILE / SIDE;
const LANES = SIDE * SIDE;

var<workgroup> weights: array<array<f32, TILE>, TILE_K>;
var<workgroup> pixels: array<array<f32, TILE>, TILE_K>;
// Of the taps in the tile: ky, kx, row of the channel's first pixel, address of the weight.
var<workgroup> taps: array<vec4u, TILE_K>;

fn find_tap(k: u32) -> vec4u {
  let kx = k % params.kw;
  let ky = k / params.kw % params.kh;
  let c = k / (params.kw * params.kh);
  let at = params.weight_first + c * params.weight_c + (ky * params.kw + kx) * params.weight_tap;
  return vec4u(ky, kx, c * params.h, at);
}

@compute @workgroup_size(SIDE, SIDE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let depth = params.c * params.kh * params.kw;
  let area = params.oh * params.ow;
  let columns = params.n * area;
  let first_column = (group.y * groups.x + group.x) * TILE;
  let first_row = group.z * TILE;

  // Each invocation loads pixels of one column only.
  let own = first_column + index % TILE;
  let image_row = own / area * params.c * params.h;
  let top = own % area / params.ow * params.step - params.padding_y;
  let left = own % params.ow * params.step - params.padding_x;

  var sum: array<array<f32, PER_THREAD>, PER_THREAD>;
  if (index < TILE_K) { taps[index] = find_tap(index); }
  workgroupBarrier();
  for (var first_k = 0u; first_k < depth; first_k += TILE_K) {
    for (var k = index / TILE; k < TILE_K; k += LANES / TILE) {
      let tap = taps[k];
      let row = undilated(top + tap.x);
      let column = undilated(left + tap.y);
      var value = 0.0;
      if (first_k + k < depth && own < columns && row < params.h && column < params.w) {
        value = image[(image_row + tap.z + row) * params.w + column];
      }
      pixels[k][index % TILE] = value;
    }
    for (var o = index / TILE_K; o < TILE; o += LANES / TILE_K) {
      let k = index % TILE_K;
      var value = 0.0;
      if (first_k + k < depth && first_row + o < params.o) {
        value = weight[taps[k].w + (first_row + o) * params.weight_o];
      }
      weights[k][o] = value;
    }
    workgroupBarrier();
    if (index < TILE_K) { taps[index] = find_tap(first_k + TILE_K + index); }
    for (var k = 0u; k < TILE_K; k++) {
      var pixel: array<f32, PER_THREAD>;
      for (var s = 0u; s < PER_THREAD; s++) { pixel[s] = pixels[k][local.x + s * SIDE]; }
      for (var r = 0u; r < PER_THREAD; r++) {
        let value = weights[k][local.y + r * SIDE];
        for (var s = 0u; s < PER_THREAD; s++) { sum[r][s] += value * pixel[s]; }
      }
    }
    workgroupBarrier();
  }

  for (var s = 0u; s < PER_THREAD; s++) {
    let column = first_column + local.x + s * SIDE;
    if (column >= columns) { continue; }
    for (var r = 0u; r < PER_THREAD; r++) {
      let o = first_row + local.y + r * SIDE;
      if (o < params.o) { out[(column / area * params.o + o) * area + column % area] = finished(sum[r][s], o); }
    }
  }
}
