// Gumbel(0, 1) noise of a candidate in a round: but for rounding the function `drawGumbel` of gumbel.ts. Joined after
// philox.wgsl.
fn draw_gumbel(candidate: u32, round: u32, seed: u32) -> f32 {
  return gumbel(philox(vec4u(candidate, round, GUMBEL_STREAM, 0u), vec2u(seed, 0u)).x);
}

// −ln(−ln(1 − v)), v = (word + ½) / 2^32. Where v is below ½, 1 − v would lose its digits, and devices may compute a
// logarithm near 1 with no more than 21 bits: there −ln(1 − v) = 2 · artanh(s), s = v / (2 − v), at most ⅓, by its series.
fn gumbel(word: u32) -> f32 {
  if (word >= 0x80000000u) { return -log(-log((f32(~word) + 0.5) * (1.0 / 4294967296.0))); }
  let v = (f32(word) + 0.5) * (1.0 / 4294967296.0);
  let s = v / (2.0 - v);
  let q = s * s;
  var series = 1.0 / 13.0;
  series = series * q + 1.0 / 11.0;
  series = series * q + 1.0 / 9.0;
  series = series * q + 1.0 / 7.0;
  series = series * q + 1.0 / 5.0;
  series = series * q + 1.0 / 3.0;
  series = series * q + 1.0;
  return -log(2.0 * s * series);
}
