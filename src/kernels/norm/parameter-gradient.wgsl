// One chunk of the gradients by gamma and beta, f32: by_gamma[c, k] = Σ d_out · (x − mean[c]) · inverse_deviation[c]
// and by_beta[c, k] = Σ d_out, over the elements of channel c that chunk k has (channels.wgsl says which). x and d_out
// are [N, C, P].
// Joined behind channels.wgsl. One invocation a chunk.
// Grid: linear over C · chunks, 64 to a workgroup.

struct Params {
  count: u32, channels: u32, positions: u32, chunks: u32, step_samples: u32, step_positions: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> d_out: array<f32>;
@group(0) @binding(3) var<storage, read> mean: array<f32>;
@group(0) @binding(4) var<storage, read> inverse_deviation: array<f32>;
@group(0) @binding(5) var<storage, read_write> by_gamma: array<f32>;
@group(0) @binding(6) var<storage, read_write> by_beta: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let index = (group.y * groups.x + group.x) * 64u + local.x;
  if (index >= params.channels * params.chunks) { return; }
  let channel = channel_of(index);
  let chunk = chunk_of(index);

  let centre = mean[channel];
  var walk = walk_start(chunk);
  var product = 0.0;
  var total = 0.0;
  for (var e = chunk; e < params.count; e += params.chunks) {
    let offset = walk_offset(walk, channel);
    product += d_out[offset] * (x[offset] - centre);
    total += d_out[offset];
    walk = walk_next(walk);
  }
  by_gamma[channel * params.chunks + chunk] = product * inverse_deviation[channel];
  by_beta[channel * params.chunks + chunk] = total;
}
