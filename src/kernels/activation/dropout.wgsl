// out[i] = x[i] · scale where random number i is at least `rate`, else 0. f32, any shape.
// The random numbers of elements 4 · b … 4 · b + 3 are philox((b, step, stream, salt), (seed, 0)), in order.
// Joined behind philox.wgsl.
// Grid: that of run.wgsl, which it stands in front of, over the blocks of four elements.

struct Params {
  // Blocks, and elements.
  size: u32,
  count: u32,
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

fn write_element(block: u32) {
  let first = 4u * block;
  let words = philox(vec4u(block, counter[0], params.stream, params.salt), vec2u(params.seed, 0u));
  for (var item = 0u; item < min(4u, params.count - first); item++) {
    let stays = unit_float(words[item]) >= params.rate;
    out[first + item] = select(0.0, x[first + item] * params.scale, stays);
  }
}
