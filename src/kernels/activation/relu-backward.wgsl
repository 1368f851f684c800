// d_x[i] = d_out[i] where out[i] > 0, else 0. f32, any shape.
// Joined behind a declaration of `Element`, f32 or vec4f.
// Grid: that of run.wgsl, which it stands in front of, over the elements.

struct Params {
  size: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> out: array<Element>;
@group(0) @binding(2) var<storage, read> d_out: array<Element>;
@group(0) @binding(3) var<storage, read_write> d_x: array<Element>;

fn write_element(index: u32) {
  d_x[index] = select(Element(), d_out[index], out[index] > Element());
}
