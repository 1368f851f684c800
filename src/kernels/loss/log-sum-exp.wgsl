// Module: the sum of a row's exponentials, for kernels with `logits` and `params.classes`, `params.nan`.
//   log_sum_exp(start, sharpness) -> largest logit of the row, Σ_k exp(sharpness · (logit_k − largest)), and the
//   logarithm of that sum; sharpness is 1 / temperature
// Shifted by the largest logit, so that no exponential overflows. As in the reference, sum and logarithm are NaN where
// the row holds NaN or +∞, or nothing but −∞. That is decided from the bits, and NaN comes from the parameters: WGSL
// lets compilers take all numbers for finite (lavapipe does not, 2026-11).

struct LogSumExp { largest: f32, sum: f32, log_sum: f32 }

const INFINITY_BITS = 0x7f800000u;

fn log_sum_exp(start: u32, sharpness: f32) -> LogSumExp {
  var largest = logits[start];
  var broken = false;
  var all_minus_infinity = true;
  for (var i = start; i < start + params.classes; i++) {
    let bits = bitcast<u32>(logits[i]);
    let is_infinite_or_nan = (bits & INFINITY_BITS) == INFINITY_BITS;
    let is_minus_infinity = bits == (INFINITY_BITS | 0x80000000u);
    broken = broken || (is_infinite_or_nan && !is_minus_infinity);
    all_minus_infinity = all_minus_infinity && is_minus_infinity;
    if (logits[i] > largest) { largest = logits[i]; }
  }
  if (broken || all_minus_infinity) {
    let nan = bitcast<f32>(params.nan);
    return LogSumExp(largest, nan, nan);
  }
  var sum = 0.0;
  for (var i = start; i < start + params.classes; i++) { sum += exp(sharpness * (logits[i] - largest)); }
  return LogSumExp(largest, sum, log(sum));
}
