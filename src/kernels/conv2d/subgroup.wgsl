// The correlation of correlation.wgsl, which it follows, in registers: for software drivers with subgroups of 8, where a
// load costs ten times as much as a multiply-add, wherever it comes from, and a shuffle little.
// A workgroup is one subgroup and computes TILE_O output channels (at most 8). Each lane computes TILE_X outputs side by
// side of one row, from a strip of the image in registers; lane l loads the weights of channel l, and hands them round.
// Compiled in: TILE_O, TILE_X, KH (unrolled, 3 × 3 windows take a quarter less time: lavapipe, 2026-11), KW, STEP,
// DILATED (whether the image is).
// Grid: [⌈N · OH · ⌈OW / TILE_X⌉ / 8⌉ in two axes (linear), …, ⌈O / TILE_O⌉].

const STRIP = (TILE_X - 1u) * STEP + KW;

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let strips = (params.ow + TILE_X - 1u) / TILE_X;
  let index = (group.y * groups.x + group.x) * 8u + lane;
  // All lanes take part to the end, those past it with the last strip: shuffles need them.
  let strip = min(index, params.n * params.oh * strips - 1u);
  let n = strip / strips / params.oh;
  let y = strip / strips % params.oh;
  let first_x = strip % strips * TILE_X;
  let top = y * STEP - params.padding_y;
  let left = first_x * STEP - params.padding_x;
  let first_o = group.z * TILE_O;
  let own_o = min(first_o + lane, params.o - 1u);

  let own_bias = select(0.0, bias[own_o], params.has_bias != 0u);
  var sum: array<array<f32, TILE_X>, TILE_O>;
  for (var o = 0u; o < TILE_O; o++) {
    let value = subgroupShuffle(own_bias, o);
    for (var x = 0u; x < TILE_X; x++) { sum[o][x] = value; }
  }
  for (var c = 0u; c < params.c; c++) {
    var tap = params.weight_first + own_o * params.weight_o + c * params.weight_c;
    for (var ky = 0u; ky < KH; ky++) {
      var row = top + ky;
      if (DILATED) { row = undilated(row); }
      let start = ((n * params.c + c) * params.h + min(row, params.h - 1u)) * params.w;
      var pixel: array<f32, STRIP>;
      for (var i = 0u; i < STRIP; i++) {
        var column = left + i;
        if (DILATED) { column = undilated(column); }
        let value = image[start + min(column, params.w - 1u)];
        pixel[i] = select(0.0, value, row < params.h && column < params.w);
      }
      for (var kx = 0u; kx < KW; kx++) {
        let own_weight = weight[tap];
        for (var o = 0u; o < TILE_O; o++) {
          let value = subgroupShuffle(own_weight, o);
          for (var x = 0u; x < TILE_X; x++) { sum[o][x] += value * pixel[x * STEP + kx]; }
        }
        tap += params.weight_tap;
      }
    }
  }

  if (index != strip) { return; }
  for (var o = 0u; o < TILE_O; o++) {
    if (first_o + o >= params.o) { break; }
    let start = ((n * params.o + first_o + o) * params.oh + y) * params.ow + first_x;
    for (var x = 0u; x < TILE_X; x++) {
      let value = sum[o][x];
      if (first_x + x < params.ow) { out[start + x] = select(value, 0.0, params.relu != 0u && value <= 0.0); }
    }
  }
}
