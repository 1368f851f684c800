// Module: tells numbers from what is none. By their bits: WGSL lets compilers take it that all numbers are finite.
//   is_nan(value)         -> whether it is NaN
//   finite_or_zero(value) -> the number, 0 for NaN and infinities

fn is_nan(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u;
}

fn finite_or_zero(value: f32) -> f32 {
  return select(0.0, value, (bitcast<u32>(value) & 0x7fffffffu) < 0x7f800000u);
}
