// C[i, j] = Σ_p A[i, p] · B[p, j], + bias[j] where there is one, f32, C row by row; then max(0, ·) where asked.
// What the variants of the matrix product share: parameters, bindings, and how a sum becomes an element of C. Stands in
// front of each.

struct Params {
  m: u32, n: u32, k: u32,
  // Elements from one row of A to the next and from one column to the next; likewise of B.
  a_row: u32, a_column: u32, b_row: u32, b_column: u32,
  has_bias: u32, relu: u32,
  // Of tiles that sum in parts: how much of K a part covers.
  part_depth: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> c: array<f32>;

// Elements by their number.
fn a_at(index: u32) -> f32 { return a[index]; }
fn b_at(index: u32) -> f32 { return b[index]; }

// Stores the sum of row `row` and column `column`, both within C.
fn store(row: u32, column: u32, sum: f32) {
  var value = sum;
  if (params.has_bias != 0u) { value += bias[column]; }
  if (params.relu != 0u) { value = select(value, 0.0, value <= 0.0); }
  c[row * params.n + column] = value;
}
