// The weights' gradient of weight-gradient.wgsl, which it follows, in registers: for software drivers with subgroups of
// 8, where a load costs ten times as much as a multiply-add, wherever it comes from, and a shuffle little.
// A workgroup is one subgroup and computes TILE_O output channels (at most 8) of one part. Each lane computes the KW
// taps of one (c, ky), from strips of the image in registers; lane l loads d_out of channel l, and hands it round.
// Compiled in: TILE_O, TILE_X (pixels in a strip of d_out), KW, STEP (the stride).
// Grid: [⌈C · KH / 8⌉, ⌈O / TILE_O⌉, parts].

const STRIP = (TILE_X - 1u) * STEP + KW;

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let rows = params.c * params.kh;
  let index = group.x * 8u + lane;
  // All lanes take part to the end, those past it with the last row of taps: shuffles need them.
  let own = min(index, rows - 1u);
  let c = own / params.kh;
  let ky = own % params.kh;
  let first_o = group.y * TILE_O;
  let own_o = min(first_o + lane, params.o - 1u);
  let first_n = group.z * params.images_per_part;
  let end_n = min(first_n + params.images_per_part, params.n);

  var sum: array<array<f32, KW>, TILE_O>;
  for (var n = first_n; n < end_n; n++) {
    for (var y = 0u; y < params.oh; y++) {
      let row = y * STEP + ky - params.padding;
      let image_row = ((n * params.c + c) * params.h + min(row, params.h - 1u)) * params.w;
      let gradient_row = ((n * params.o + own_o) * params.oh + y) * params.ow;
      for (var first_x = 0u; first_x < params.ow; first_x += TILE_X) {
        var pixel: array<f32, STRIP>;
        for (var i = 0u; i < STRIP; i++) {
          let column = first_x * STEP + i - params.padding;
          let value = image[image_row + min(column, params.w - 1u)];
          pixel[i] = select(0.0, value, row < params.h && column < params.w);
        }
        for (var i = 0u; i < TILE_X; i++) {
          let x = first_x + i;
          // Not a gradient of 0: times a pixel that is not finite it would be NaN.
          if (x >= params.ow) { break; }
          let own_gradient = d_out[gradient_row + x];
          for (var o = 0u; o < TILE_O; o++) {
            let value = subgroupShuffle(own_gradient, o);
            for (var kx = 0u; kx < KW; kx++) { sum[o][kx] += value * pixel[i * STEP + kx]; }
          }
        }
      }
    }
  }

  if (index != own) { return; }
  for (var o = 0u; o < TILE_O; o++) {
    if (first_o + o >= params.o) { break; }
    for (var kx = 0u; kx < KW; kx++) {
      parts[((group.z * params.o + first_o + o) * rows + own) * KW + kx] = sum[o][kx];
    }
  }
}
