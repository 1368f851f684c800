// out[i] = a[i] + b[i], or that where it is above 0 and else 0. f32, any shape.
// Joined behind a declaration of `Element`, f32 or vec4f.
// Grid: that of run.wgsl, which it stands in front of, over the elements.

struct Params {
  size: u32,
  relu: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<Element>;
@group(0) @binding(2) var<storage, read> b: array<Element>;
@group(0) @binding(3) var<storage, read_write> out: array<Element>;

fn write_element(index: u32) {
  var value = a[index] + b[index];
  if (params.relu != 0u) { value = select(value, Element(), value <= Element()); }
  out[index] = value;
}
