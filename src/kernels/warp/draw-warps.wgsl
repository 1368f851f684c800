// out[b] = the warp that is drawn for key_of(b): matrix, translation, brightness, and displacements where `words` has
// room for them, in 65536ths: bit for bit `drawWarp` of draws.ts. Random words come from Philox with counter (key,
// step, stream, block) and key (seed, 0). Whole numbers only: floating-point sines and roots differ from device to device.
// Joined behind philox.wgsl and declarations of key_of(b), step() and `out`.
// Compiled in: AFFINE_WORDS, NODES, WORKGROUP. Grid: linear, one invocation a warp.

struct Params {
  count: u32, words: u32, seed: u32, stream: u32,
  share: u32, rotation: u32, scale: u32, shear: u32, shift: u32, elastic: u32, brightness: u32,
  flip: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

const ONE = 65536u;

// Uniform in −largest … largest.
fn uniform_in(word: u32, largest: u32) -> i32 {
  return i32(multiply_high(word, 2u * largest + 1u)) - i32(largest);
}

// a·b in 65536ths, rounded toward 0.
fn product(a: i32, b: i32) -> i32 {
  let x = u32(abs(a));
  let y = u32(abs(b));
  let size = i32((multiply_high(x, y) << 16u) | ((x * y) >> 16u));
  return select(size, -size, (a < 0) != (b < 0));
}

// Sine and cosine of at most 45°, by Taylor's polynomials. No product of theirs is above 2^32.
fn sine_cosine(angle: i32) -> vec2i {
  let size = u32(abs(angle));
  let square = (size * size) >> 16u;
  var sine = ONE - square / 42u;
  sine = ONE - ((square * sine) >> 16u) / 20u;
  sine = ONE - ((square * sine) >> 16u) / 6u;
  sine = (size * sine) >> 16u;
  var cosine = ONE - square / 56u;
  cosine = ONE - ((square * cosine) >> 16u) / 30u;
  cosine = ONE - ((square * cosine) >> 16u) / 12u;
  cosine = ONE - ((square * cosine) >> 16u) / 2u;
  return vec2i(select(i32(sine), -i32(sine), angle < 0), i32(cosine));
}

// A Gaussian displacement: the sum of four uniform numbers of 16 bits, about its mean.
fn displacement(a: u32, b: u32) -> u32 {
  let sum = (a & 0xffffu) + (a >> 16u) + (b & 0xffffu) + (b >> 16u);
  return bitcast<u32>(((i32(sum) - 131070) * i32(params.elastic)) >> 11u);
}

fn block(key: u32, number: u32) -> vec4u {
  return philox(vec4u(key, step(), params.stream, number), vec2u(params.seed, 0u));
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let b = (group.y * groups.x + group.x) * WORKGROUP + local;
  if (b >= params.count) { return; }
  let key = key_of(b);
  let place = b * params.words;
  let words = block(key, 0u);
  let warped = (words.x >> 16u) < params.share;
  // What one pixel to the right, and one down, is in the source.
  var right = vec2i(65536, 0);
  var down = vec2i(0, 65536);
  var shift = vec2i(0);
  var brightness = 65536;
  if (warped) {
    let more = block(key, 1u);
    let turn = sine_cosine(uniform_in(words.z, params.rotation));
    let scale = 65536 + uniform_in(words.w, params.scale);
    let shear = uniform_in(more.x, params.shear);
    right = vec2i(product(scale, turn.y), product(scale, turn.x));
    down = vec2i(product(scale, product(turn.y, shear) - turn.x), product(scale, product(turn.x, shear) + turn.y));
    shift = vec2i(uniform_in(more.z, params.shift), uniform_in(more.y, params.shift));
    brightness += uniform_in(more.w, params.brightness);
  }
  if (params.flip != 0u && (words.y >> 31u) == 1u) { right = -right; }
  out[place] = bitcast<u32>(right.x);
  out[place + 1u] = bitcast<u32>(down.x);
  out[place + 2u] = bitcast<u32>(right.y);
  out[place + 3u] = bitcast<u32>(down.y);
  out[place + 4u] = bitcast<u32>(shift.x);
  out[place + 5u] = bitcast<u32>(shift.y);
  let displaced = warped && params.words > AFFINE_WORDS;
  out[place + 6u] = u32(displaced);
  out[place + 7u] = u32(brightness);
  if (params.words == AFFINE_WORDS) { return; }
  for (var node = 0u; node < NODES; node++) {
    var pair = vec2u(0u);
    if (displaced) {
      let more = block(key, 2u + node);
      pair = vec2u(displacement(more.x, more.y), displacement(more.z, more.w));
    }
    out[place + AFFINE_WORDS + 2u * node] = pair.x;
    out[place + AFFINE_WORDS + 2u * node + 1u] = pair.y;
  }
}
