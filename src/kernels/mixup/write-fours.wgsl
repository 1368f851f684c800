// Module: writes four pixels of a row at once, where rows are whole vectors of four. See write-numbers.wgsl.

@group(0) @binding(6) var<storage, read_write> out: array<vec4f>;

fn write_four(place: u32, values: vec4f, left: u32) {
  out[place / 4u] = values;
}
