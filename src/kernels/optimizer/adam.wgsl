// One step of Adam, in place, by PyTorch's formulas, t = counter − start + 1: g = gradients + weight_decay · p;
// mean += (1 − beta1) · (g − mean); variance += (1 − beta2) · (g² − variance);
// p −= rate · (mean / (1 − beta1^t)) / (√(variance / (1 − beta2^t)) + epsilon).
// The rate is that of the counter's step, or the last one.
// 1 − beta and ln beta come from the host in full precision: 1 − 0.999 in f32 is wrong by 1e-5 of itself.
// Joined behind a declaration of `Element`, f32 or vec4f: `count` counts elements.
// Compiled in: WORKGROUP, RUN (elements that an invocation takes, WORKGROUP apart).
// Grid: linear, RUN elements an invocation.

struct Params {
  count: u32, last_rate: u32,
  mean_share: f32, variance_share: f32, // 1 − beta1, 1 − beta2
  mean_log: f32, variance_log: f32,     // ln beta1, ln beta2
  epsilon: f32, weight_decay: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradients: array<Element>;
@group(0) @binding(2) var<storage, read> rates: array<f32>;
@group(0) @binding(3) var<storage, read> counter: array<u32>;
@group(0) @binding(4) var<storage, read> start: array<u32>;
@group(0) @binding(5) var<storage, read_write> parameters: array<Element>;
@group(0) @binding(6) var<storage, read_write> mean: array<Element>;
@group(0) @binding(7) var<storage, read_write> variance: array<Element>;

// 1 − exp(x) for x ≤ 0. Near 0 the difference would cancel: there by its Taylor series, whose first term left out is
// below 1e-8 of the sum.
fn one_minus_exp(x: f32) -> f32 {
  if (x < -0.5) { return 1.0 - exp(x); }
  var series = 1.0;
  for (var n = 8.0; n > 1.5; n -= 1.0) { series = 1.0 + series * x / n; }
  return -x * series;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let first = (group.y * groups.x + group.x) * WORKGROUP * RUN + local;
  let rate = rates[min(counter[0], params.last_rate)];
  let t = f32(counter[0] - start[0]) + 1.0;
  let mean_correction = one_minus_exp(t * params.mean_log);
  let variance_correction = one_minus_exp(t * params.variance_log);
  for (var i = first; i < min(first + WORKGROUP * RUN, params.count); i += WORKGROUP) {
    let gradient = gradients[i] + params.weight_decay * parameters[i];
    let new_mean = mean[i] + params.mean_share * (gradient - mean[i]);
    let new_variance = variance[i] + params.variance_share * (gradient * gradient - variance[i]);
    mean[i] = new_mean;
    variance[i] = new_variance;
    parameters[i] -= rate * new_mean / mean_correction / (sqrt(new_variance / variance_correction) + params.epsilon);
  }
}
