// out[n, o, y, x] = Σ_{c, ky, kx} weight[o, c, ky, kx] · in[n, c, y·stride + ky − padding, x·stride + kx − padding]
//   + bias[o], then max(0, ·) where asked; f32, N C H W.
// One output an invocation: for every size.
// Compiled in: WORKGROUP. Follows sizes.wgsl.
// Grid: linear, one invocation an output.

@group(0) @binding(1) var<storage, read> image: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

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
  var tap = o * params.c * params.kh * params.kw;
  for (var c = 0u; c < params.c; c++) {
    let plane = (n * params.c + c) * params.h;
    for (var ky = 0u; ky < params.kh; ky++) {
      // Left of and above the image the unsigned difference wraps round to a number past the image.
      let row = y * params.stride + ky - params.padding;
      if (row < params.h) {
        for (var kx = 0u; kx < params.kw; kx++) {
          let column = x * params.stride + kx - params.padding;
          if (column < params.w) { sum += weight[tap + kx] * image[(plane + row) * params.w + column]; }
        }
      }
      tap += params.kw;
    }
  }
  if (params.has_bias != 0u) { sum += bias[o]; }
  if (params.relu != 0u) { sum = select(sum, 0.0, sum <= 0.0); }
  out[index] = sum;
}
