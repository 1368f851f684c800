// out[i] = x[i] rounded to the nearest f16, of two as near the even one; infinite from 65520 on, NaN 0x7e00. f32 to
// f16, any shape. In whole numbers, on the bits: exact, where WGSL's own conversions may round either way and need not
// keep NaN and infinities; and devices without f16 can do it.
// An invocation makes the two elements of a word of `out`; where their number is odd, the rest of the last word is 0.
// Grid: that of run.wgsl, which it stands in front of, over the words of `out`.

struct Params {
  // Words of `out`, and elements.
  size: u32, elements: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<u32>;

// value / 2^shift, rounded to the nearest whole number, of two the even one. 1 ≤ shift ≤ 31.
fn shift_to_even(value: u32, shift: u32) -> u32 {
  let below = value >> shift;
  let rest = value & ((1u << shift) - 1u);
  let half = 1u << (shift - 1u);
  return below + select(0u, 1u, rest > half || (rest == half && (below & 1u) == 1u));
}

// The bits of the f16 nearest to the f32 of these bits.
fn to_half(bits: u32) -> u32 {
  let sign = (bits >> 16u) & 0x8000u;
  let magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) { return 0x7e00u; }
  // 65520, halfway between the largest and what would be the next.
  if (magnitude >= 0x477ff000u) { return sign | 0x7c00u; }
  // From 2^-14 on: another bias of the exponent, and 13 bits less.
  if (magnitude >= 0x38800000u) { return sign | shift_to_even(magnitude - 0x38000000u, 13u); }
  let exponent = magnitude >> 23u;
  // Below 2^-25.
  if (exponent < 102u) { return sign; }
  // A multiple of 2^-24.
  return sign | shift_to_even((magnitude & 0x7fffffu) | 0x800000u, 126u - exponent);
}

fn write_element(index: u32) {
  var word = to_half(x[2u * index]);
  if (2u * index + 1u < params.elements) { word |= to_half(x[2u * index + 1u]) << 16u; }
  out[index] = word;
}
