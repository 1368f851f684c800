// out[n, c, p] = (x[n, c, p] − mean[c]) · deviation · gamma[c] + beta[c], or that where it is above 0 and else 0.
// x and out [N, C, P], f32; spread [C] holds 1 / √(variance + epsilon), which is the deviation, or the variance.
// Joined behind division.wgsl and a declaration of `Element`, f32 or vec4f: `size` and `positions` count elements.
// Grid: that of run.wgsl, which it stands in front of, over the elements.

struct Params {
  size: u32, channels: u32, positions: u32,
  // 0: spread holds inverse deviations; 1: variances.
  from_variance: u32,
  relu: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> spread: array<f32>;
@group(0) @binding(4) var<storage, read> gamma: array<f32>;
@group(0) @binding(5) var<storage, read> beta: array<f32>;
@group(0) @binding(6) var<storage, read_write> out: array<Element>;

fn write_element(index: u32) {
  let row = divide(index, params.positions);
  let channel = row - divide(row, params.channels) * params.channels;
  var deviation = spread[channel];
  if (params.from_variance != 0u) { deviation = 1.0 / sqrt(deviation + params.epsilon); }
  var value = (x[index] - mean[channel]) * (deviation * gamma[channel]) + beta[channel];
  if (params.relu != 0u) { value = select(value, Element(), value <= Element()); }
  out[index] = value;
}
