// out[i] = x[i] · scale where random number i is at least `rate`, else 0. f32, any shape.
// The random numbers of elements 4 · b … 4 · b + 3 are philox((b, step, stream, salt), (seed, 0)), in order.
// Joined behind philox.wgsl.
// Compiled in: RUN, the blocks of four elements that an invocation writes, 64 blocks apart.
// Grid: linear over the ⌈size / 4⌉ blocks, 64 · RUN to a workgroup.

struct Params {
  size: u32,
  seed: u32,
  stream: u32,
  salt: u32,
  rate: f32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
// The step's number.
@group(0) @binding(2) var<storage, read> counter: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

fn write_block(block: u32) {
  let first = 4u * block;
  let words = philox(vec4u(block, counter[0], params.stream, params.salt), vec2u(params.seed, 0u));
  for (var item = 0u; item < min(4u, params.size - first); item++) {
    let stays = unit_float(words[item]) >= params.rate;
    out[first + item] = select(0.0, x[first + item] * params.scale, stays);
  }
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let first = (group.y * groups.x + group.x) * 64u * RUN + local.x;
  let blocks = (params.size + 3u) / 4u;
  for (var block = first; block < min(first + 64u * RUN, blocks); block += 64u) { write_block(block); }
}
