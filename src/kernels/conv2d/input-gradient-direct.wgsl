// d_image[n, c, i, j] = Σ weight[o, c, ky, kx] · d_out[n, o, y, x] over all o, ky, kx, y, x with
// y·stride + ky − padding = i and x·stride + kx − padding = j; f32, N C H W.
// One element an invocation: for every size.
// Compiled in: WORKGROUP. Follows sizes.wgsl.
// Grid: linear, one invocation an element of the gradient.

@group(0) @binding(1) var<storage, read> d_out: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> d_image: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = (group.y * groups.x + group.x) * WORKGROUP + local;
  if (index >= params.n * params.c * params.h * params.w) { return; }
  let j = index % params.w;
  let i = index / params.w % params.h;
  let c = index / (params.w * params.h) % params.c;
  let n = index / (params.w * params.h * params.c);

  var sum = 0.0;
  for (var o = 0u; o < params.o; o++) {
    let plane = (n * params.o + o) * params.oh;
    for (var ky = 0u; ky < params.kh; ky++) {
      // Above the first window the unsigned difference wraps round to a number past the last one.
      let up = i + params.padding - ky;
      let y = up / params.stride;
      if (y < params.oh && y * params.stride == up) {
        let tap = ((o * params.c + c) * params.kh + ky) * params.kw;
        for (var kx = 0u; kx < params.kw; kx++) {
          let left = j + params.padding - kx;
          let x = left / params.stride;
          if (x < params.ow && x * params.stride == left) {
            sum += weight[tap + kx] * d_out[(plane + y) * params.ow + x];
          }
        }
      }
    }
  }
  d_image[index] = sum;
}
