// Module: writes up to four pixels of a row, of which `left` pixels are left, to `place` of the output.
// Compiled in: OUT_BINDING.

@group(0) @binding(OUT_BINDING) var<storage, read_write> out: array<f32>;

fn write_four(place: u32, values: vec4f, left: u32) {
  for (var column = 0u; column < min(4u, left); column++) { out[place + column] = values[column]; }
}
