// d_x = gamma[c] · inverse_deviation[c] · (d_out − (beta_gradient[c] + x̂ · gamma_gradient[c]) / count) with
// x̂ = (x − mean[c]) · inverse_deviation[c] and count = N · P. x, d_out and d_x are [N, C, P], the others [C], f32.
// Joined behind division.wgsl and a declaration of `Element`, f32 or vec4f: `size` and `positions` count elements.
// Grid: that of run.wgsl, which it stands in front of, over the elements.

struct Params {
  size: u32, channels: u32, positions: u32,
  // 1 / count.
  share: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read> d_out: array<Element>;
@group(0) @binding(3) var<storage, read> mean: array<f32>;
@group(0) @binding(4) var<storage, read> inverse_deviation: array<f32>;
@group(0) @binding(5) var<storage, read> gamma: array<f32>;
@group(0) @binding(6) var<storage, read> gamma_gradient: array<f32>;
@group(0) @binding(7) var<storage, read> beta_gradient: array<f32>;
@group(0) @binding(8) var<storage, read_write> d_x: array<Element>;

fn write_element(index: u32) {
  let row = divide(index, params.positions);
  let channel = row - divide(row, params.channels) * params.channels;
  let deviation = inverse_deviation[channel];
  let normalised = (x[index] - mean[channel]) * deviation;
  let correction = (beta_gradient[channel] + normalised * gamma_gradient[channel]) * params.share;
  d_x[index] = gamma[channel] * deviation * (d_out[index] - correction);
}
