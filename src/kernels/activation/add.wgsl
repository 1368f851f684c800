// out[i] = a[i] + b[i], or that where it is above 0 and else 0. f32, any shape.
// Grid: that of run.wgsl, which it stands in front of, over the elements.

struct Params {
  size: u32,
  relu: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

fn write_element(index: u32) {
  let value = a[index] + b[index];
  out[index] = select(value, 0.0, params.relu != 0u && value <= 0.0);
}
