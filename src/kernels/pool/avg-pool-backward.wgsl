// d_x[p, r, c] = Σ d_out[p, i, j] / (kernel_height · kernel_width) over the windows (i, j) that hold (r, c). Planes
// p = N · C, f32, d_x planes × height × width, d_out planes × out_height × out_width.
// Joined behind geometry.wgsl.
// Compiled in: RUN, the elements that an invocation writes, 64 apart.
// Grid: linear over the input pixels, 64 · RUN to a workgroup.

@group(0) @binding(1) var<storage, read> d_out: array<f32>;
@group(0) @binding(2) var<storage, read_write> d_x: array<f32>;

fn write_element(index: u32) {
  let pixel = pixel_of(index, params.height, params.width);
  let rows = covering_range(pixel.row, params.kernel_height, params.out_height);
  let columns = covering_range(pixel.column, params.kernel_width, params.out_width);
  let plane = pixel.plane * params.out_height * params.out_width;

  var total = 0.0;
  for (var i = rows.first; i < rows.end; i++) {
    for (var j = columns.first; j < columns.end; j++) {
      total += d_out[plane + i * params.out_width + j];
    }
  }
  d_x[index] = total / f32(params.kernel_height * params.kernel_width);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let first = (group.y * groups.x + group.x) * 64u * RUN + local.x;
  for (var index = first; index < min(first + 64u * RUN, params.size); index += 64u) { write_element(index); }
}
