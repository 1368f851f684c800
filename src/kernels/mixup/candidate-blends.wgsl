// Blend p·L + l: candidate c = min(counter · P + p, pool − 1), whose pair number is pairs[c], or c itself, stands for
// images i < j: first = i, second = j, weight = lambdas[l]. With `single` there is one blend a candidate, of a λ that is
// drawn for it.
// Pairs are numbered in lexicographic order: row i holds (i, i + 1) … (i, n − 1). n is at most 92,681.
// Grid: linear, one invocation a blend.

struct Params {
  images: u32, pool: u32, batch: u32, lambdas: u32,
  has_pairs: u32, single: u32, seed: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> pairs: array<u32>;
@group(0) @binding(2) var<storage, read> lambdas: array<u32>;
@group(0) @binding(3) var<storage, read> counter: array<u32>;
@group(0) @binding(4) var<storage, read_write> first: array<u32>;
@group(0) @binding(5) var<storage, read_write> second: array<u32>;
@group(0) @binding(6) var<storage, read_write> weight: array<u32>;

// a·b / 2, one of them even: the even one is halved first, for the product may not fit 32 bits.
fn half_product(a: u32, b: u32) -> u32 {
  return select(a * (b / 2u), (a / 2u) * b, a % 2u == 0u);
}

// Number of the pair (i, i + 1).
fn row_start(i: u32) -> u32 {
  return half_product(i, 2u * params.images - 1u - i);
}

fn row_of(number: u32) -> u32 {
  let last_row = params.images - 2u;
  // Counted from the last row, which holds one pair, rows start at triangular numbers.
  let from_end = half_product(params.images, params.images - 1u) - 1u - number;
  let rows = u32((sqrt(8.0 * f32(from_end) + 1.0) - 1.0) * 0.5);
  var i = last_row - min(rows, last_row);
  // The root has 24 bits, if those: corrected in whole numbers.
  while (row_start(i) > number) { i--; }
  while (i < last_row && row_start(i + 1u) <= number) { i++; }
  return i;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = (group.y * groups.x + group.x) * WORKGROUP + local;
  let per_pair = select(params.lambdas, 1u, params.single != 0u);
  if (index >= params.batch * per_pair) { return; }

  // Compared before it is multiplied: the product of a late counter would pass 2^32.
  let last = params.pool - 1u;
  var candidate = last;
  if (counter[0] <= last / params.batch) {
    let start = counter[0] * params.batch;
    candidate = start + min(index / per_pair, last - start);
  }
  var number = candidate;
  if (params.has_pairs != 0u) { number = pairs[candidate]; }
  var lambda = index % per_pair;
  if (params.single != 0u) { lambda = draw_lambda(candidate, params.seed, params.lambdas); }

  let i = row_of(number);
  first[index] = i;
  second[index] = i + 1u + number - row_start(i);
  weight[index] = lambdas[lambda];
}
