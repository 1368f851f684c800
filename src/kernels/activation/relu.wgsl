// out[i] = x[i] where x[i] > 0, else 0; NaN stays NaN. f32, any shape.
// Joined behind a declaration of `Element`, f32 or vec4f.
// Grid: that of run.wgsl, which it stands in front of, over the elements.

struct Params {
  size: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read_write> out: array<Element>;

fn write_element(index: u32) {
  out[index] = select(x[index], Element(), x[index] <= Element());
}
