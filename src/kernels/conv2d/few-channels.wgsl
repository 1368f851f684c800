// The correlation of correlation.wgsl, which it follows, where taps and output channels are few: for GPUs.
// An invocation computes one pixel of TILE_O output channels, and reads each pixel of its window once for all of them;
// their weights lie in workgroup memory.
// Compiled in: WORKGROUP, TILE_O, MOST_TAPS (C · KH · KW or more).
// Grid: [⌈N · OH · OW / WORKGROUP⌉ in two axes (linear), …, ⌈O / TILE_O⌉].

var<workgroup> weights: array<array<f32, TILE_O>, MOST_TAPS>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let first_o = group.z * TILE_O;
  let taps = params.kh * params.kw;
  for (var item = local; item < params.c * taps * TILE_O; item += WORKGROUP) {
    let k = item / TILE_O;
    // Channels past the last take its weights, and are not stored.
    let o = min(first_o + item % TILE_O, params.o - 1u);
    let address = params.weight_first + o * params.weight_o + k / taps * params.weight_c + k % taps * params.weight_tap;
    weights[k][item % TILE_O] = weight[address];
  }
  workgroupBarrier();
  let area = params.oh * params.ow;
  let index = (group.y * groups.x + group.x) * WORKGROUP + local;
  if (index >= params.n * area) { return; }
  let n = index / area;
  let pixel = index % area;
  let top = pixel / params.ow * params.step - params.padding_y;
  let left = pixel % params.ow * params.step - params.padding_x;

  var sum: array<f32, TILE_O>;
  var k = 0u;
  for (var c = 0u; c < params.c; c++) {
    let plane = (n * params.c + c) * params.h;
    for (var ky = 0u; ky < params.kh; ky++) {
      let row = undilated(top + ky);
      for (var kx = 0u; kx < params.kw; kx++) {
        let column = undilated(left + kx);
        if (row < params.h && column < params.w) {
          let value = image[(plane + row) * params.w + column];
          for (var o = 0u; o < TILE_O; o++) { sum[o] += weights[k][o] * value; }
        }
        k++;
      }
    }
  }
  for (var o = 0u; o < TILE_O; o++) {
    if (first_o + o < params.o) { out[(n * params.o + first_o + o) * area + pixel] = finished(sum[o], first_o + o); }
  }
}
