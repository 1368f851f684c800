// Module: writes four pixels of a row at once, where rows are whole vectors of four. See write-numbers.wgsl.
// Compiled in: OUT_BINDING.

@group(0) @binding(OUT_BINDING) var<storage, read_write> out: array<vec4f>;

fn write_four(place: u32, values: vec4f, left: u32) {
  out[place / 4u] = values;
}
