// out[i] = x[i], exactly: f16 to f32, any shape; infinities and NaN stay what they are. On the bits, as to-half.wgsl.
// Grid: that of run.wgsl, which it stands in front of, over the elements.

struct Params {
  size: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<u32>;

// The bits of the f32 that is equal to the f16 of these bits.
fn to_float(half: u32) -> u32 {
  let sign = (half & 0x8000u) << 16u;
  let magnitude = half & 0x7fffu;
  if (magnitude >= 0x7c00u) { return sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13u); }
  if (magnitude >= 0x400u) { return sign | ((magnitude << 13u) + 0x38000000u); }
  // A multiple of 2^-24.
  return sign | bitcast<u32>(f32(magnitude) * 0x1p-24f);
}

fn write_element(index: u32) {
  out[index] = to_float((x[index / 2u] >> (16u * (index % 2u))) & 0xffffu);
}
