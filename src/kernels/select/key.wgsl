// Scores as whole numbers in the same order. Declares one function; the kernel that it is joined to binds
// `scores: array<u32>`, the bits of f32 numbers.

// Ascends with score number `index`; −0 is as 0, and NaN, whatever its sign, comes last.
fn key_at(index: u32) -> u32 {
  let bits = scores[index];
  if ((bits & 0x7fffffffu) > 0x7f800000u) { return 0xffffffffu; }
  if (bits == 0x80000000u) { return 0x80000000u; }
  return select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
}
