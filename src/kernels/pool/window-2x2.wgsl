// Module: the first maximum of four pixels, where a NaN is larger than any number. Joined behind nan.wgsl.

struct Maximum { value: f32, place: u32 }

fn larger(best: Maximum, value: f32, place: u32) -> Maximum {
  if (!is_nan(best.value) && (value > best.value || is_nan(value))) { return Maximum(value, place); }
  return best;
}

fn maximum(pixels: vec4f) -> Maximum {
  return larger(larger(larger(Maximum(pixels.x, 0u), pixels.y, 1u), pixels.z, 2u), pixels.w, 3u);
}
