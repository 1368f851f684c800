// total[0] += Σ_b values[b] / B, in an order that depends on nothing but B.
// Grid: [1, 1, 1]: each invocation of one workgroup sums every WORKGROUP-th value, the first one their sums.

struct Params { count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read_write> total: array<f32>;

var<workgroup> sums: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32) {
  var sum = 0.0;
  for (var b = local; b < params.count; b += WORKGROUP) { sum += values[b]; }
  sums[local] = sum;
  workgroupBarrier();
  if (local != 0u) { return; }
  for (var other = 1u; other < WORKGROUP; other++) { sum += sums[other]; }
  total[0] += sum / f32(params.count);
}
