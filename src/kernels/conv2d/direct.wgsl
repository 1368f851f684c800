// The correlation of correlation.wgsl, which it follows, one output an invocation: for every size.
// Compiled in: WORKGROUP.
// Grid: linear, one invocation an output.

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = (group.y * groups.x + group.x) * WORKGROUP + local;
  if (index >= params.n * params.o * params.oh * params.ow) { return; }
  let x = index % params.ow;
  let y = index / params.ow % params.oh;
  let o = index / (params.ow * params.oh) % params.o;
  let n = index / (params.ow * params.oh * params.o);

  var sum = 0.0;
  for (var c = 0u; c < params.c; c++) {
    let plane = (n * params.c + c) * params.h;
    var tap = params.weight_first + o * params.weight_o + c * params.weight_c;
    for (var ky = 0u; ky < params.kh; ky++) {
      let row = undilated(y * params.step + ky - params.padding_y);
      for (var kx = 0u; kx < params.kw; kx++) {
        let column = undilated(x * params.step + kx - params.padding_x);
        if (row < params.h && column < params.w) { sum += weight[tap] * image[(plane + row) * params.w + column]; }
        tap += params.weight_tap;
      }
    }
  }
  out[index] = finished(sum, o);
}
