// Mean and Σ (x − mean)² of each chunk of each channel of x [N, C, P], f32: means[c, k] and squares[c, k], where
// channels.wgsl says which elements chunk k of channel c has. Both come from one pass over the distances from the
// chunk's first element, which keeps the digits that Σ x² loses where the mean is large beside the deviation.
// Joined behind nan.wgsl and channels.wgsl. One invocation a chunk.
// Grid: linear over C · chunks, 64 to a workgroup.

struct Params {
  count: u32, channels: u32, positions: u32, chunks: u32, step_samples: u32, step_positions: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> means: array<f32>;
@group(0) @binding(3) var<storage, read_write> squares: array<f32>;

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
  let first = x[walk_offset(walk, channel)];
  let origin = finite_or_zero(first);
  var total = first - origin;
  var square = total * total;
  var elements = 1.0;
  for (var e = chunk + params.chunks; e < params.count; e += params.chunks) {
    walk = walk_next(walk);
    let distance = x[walk_offset(walk, channel)] - origin;
    total += distance;
    square += distance * distance;
    elements += 1.0;
  }
  let around_mean = square - total * total / elements;
  means[channel * params.chunks + chunk] = origin + total / elements;
  squares[channel * params.chunks + chunk] = select(around_mean, 0.0, around_mean < 0.0);
}
