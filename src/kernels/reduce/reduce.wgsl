// One chunk of a sum or maximum over each channel of x [N, C, P]: partial[c, k] = Σ or max of the elements of channel
// c that chunk k has (channels.wgsl says which). A maximum over elements of which one is NaN is NaN.
// Joined behind nan.wgsl and channels.wgsl. One invocation a chunk.
// Grid: linear over C · chunks, 64 to a workgroup.

struct Params {
  count: u32, channels: u32, positions: u32, chunks: u32, step_samples: u32, step_positions: u32,
  // 0: sum; 1: maximum.
  maximum: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;

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

  var walk = walk_start(chunk);
  var result = x[walk_offset(walk, channel)];
  for (var e = chunk + params.chunks; e < params.count; e += params.chunks) {
    walk = walk_next(walk);
    let value = x[walk_offset(walk, channel)];
    if (params.maximum == 0u) {
      result += value;
    } else if (is_nan(value) || (value > result && !is_nan(result))) {
      result = value;
    }
  }
  partial[channel * params.chunks + chunk] = result;
}
