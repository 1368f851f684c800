// Module: whether a number is NaN. By its bits: WGSL lets compilers take it that no number is, and `value != value` false.
fn is_nan(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u;
}
