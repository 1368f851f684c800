// Puts the moments of a channel's chunks together (Chan, Golub and LeVeque, 1979): the mean of the chunks' means, and
// the chunks' sums of squares plus those of their means around it. From that mean[c], inverse_deviation[c] =
// 1 / √(variance + epsilon), and the running statistics, moved by `momentum`. All f32 [C]; means and squares
// [C, chunks], of which chunk k has ⌈(count − k) / chunks⌉ elements.
// Joined behind nan.wgsl.
// Grid: linear over C, 64 to a workgroup.

struct Params {
  channels: u32,
  chunks: u32,
  // Elements of one channel.
  count: u32,
  momentum: f32,
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> means: array<f32>;
@group(0) @binding(2) var<storage, read> squares: array<f32>;
@group(0) @binding(3) var<storage, read_write> mean: array<f32>;
@group(0) @binding(4) var<storage, read_write> inverse_deviation: array<f32>;
@group(0) @binding(5) var<storage, read_write> running_mean: array<f32>;
@group(0) @binding(6) var<storage, read_write> running_variance: array<f32>;

fn elements_of(chunk: u32) -> f32 {
  return f32((params.count - chunk + params.chunks - 1u) / params.chunks);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let channel = (group.y * groups.x + group.x) * 64u + local.x;
  if (channel >= params.channels) { return; }
  let first = channel * params.chunks;

  // Distances from the first chunk's mean, so that a large mean costs no digits.
  let origin = finite_or_zero(means[first]);
  var total = 0.0;
  for (var k = 0u; k < params.chunks; k++) { total += elements_of(k) * (means[first + k] - origin); }
  let centre = origin + total / f32(params.count);
  var square = 0.0;
  for (var k = 0u; k < params.chunks; k++) {
    let distance = means[first + k] - centre;
    square += squares[first + k] + elements_of(k) * distance * distance;
  }

  mean[channel] = centre;
  inverse_deviation[channel] = 1.0 / sqrt(square / f32(params.count) + params.epsilon);
  running_mean[channel] += params.momentum * (centre - running_mean[channel]);
  let unbiased = square / f32(params.count - 1u);
  running_variance[channel] += params.momentum * (unbiased - running_variance[channel]);
}
