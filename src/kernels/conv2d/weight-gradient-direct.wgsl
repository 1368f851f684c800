// The weights' gradient of weight-gradient.wgsl, which it follows, one element of one part an invocation: for every size.
// Compiled in: WORKGROUP.
// Grid: linear, one invocation an element of `parts`.

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = (group.y * groups.x + group.x) * WORKGROUP + local;
  if (index >= arrayLength(&parts)) { return; }
  let kx = index % params.kw;
  let ky = index / params.kw % params.kh;
  let c = index / (params.kw * params.kh) % params.c;
  let o = index / (params.kw * params.kh * params.c) % params.o;
  let first = index / (params.kw * params.kh * params.c * params.o) * params.images_per_part;

  var sum = 0.0;
  for (var n = first; n < min(first + params.images_per_part, params.n); n++) {
    for (var y = 0u; y < params.oh; y++) {
      let row = y * params.stride + ky - params.padding;
      if (row < params.h) {
        let source = ((n * params.c + c) * params.h + row) * params.w;
        let gradient = ((n * params.o + o) * params.oh + y) * params.ow;
        for (var x = 0u; x < params.ow; x++) {
          let column = x * params.stride + kx - params.padding;
          if (column < params.w) { sum += d_out[gradient + x] * image[source + column]; }
        }
      }
    }
  }
  parts[index] = sum;
}
