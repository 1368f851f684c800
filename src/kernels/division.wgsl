// Whole-number division by way of f32: software drivers divide u32 lane by lane, and f32 for all lanes at once.
//   divide(n, d) -> n / d, rounded down, exact for every n below 2^31 and d from 1 up

fn divide(n: u32, d: u32) -> u32 {
  // Up to here f32 keeps every remainder apart from its neighbours.
  if (d > 1048576u) { return n / d; }
  let guess = u32(f32(n) / f32(d));
  // The guess is off by no more than its rounding, so the remainder is small beside 2^23, and may be below 0.
  let remainder = i32(n - guess * d);
  return guess + u32(i32(floor((f32(remainder) + 0.5) / f32(d))));
}
