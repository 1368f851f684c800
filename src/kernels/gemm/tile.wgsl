// Module: a product of two matrices by tiles in workgroup memory, for GPUs. What the matrices are and where the product
// goes is said by an operands module, which stands in front of this one.
//
//   sum[part, i, j] = Σ_k A[i, k] · B[k, j]   for i < rows, j < columns, over the k of a part
//
// A workgroup computes a tile of TILE_M × TILE_N sums over one part, TILE_K steps of k at a time, each invocation
// RESULTS_M × RESULTS_N of them in registers. Every element of A and B that a tile needs is read by one invocation.
//
// The operands module declares its bindings and
//   alias Row, Column, Step        what has to be known of an i, a j and a k in order to read
//   const A_ALONG_K, B_ALONG_K     whether neighbouring invocations read side by side along k, or else along i (of A)
//                                  or j (of B): along whichever neighbours lie side by side in memory
//   const SHARED_STEPS             whether a workgroup finds each step once and keeps it in its memory: for steps that
//                                  take divisions; others are found where they are needed
//   extent() -> Extent
//   find_row(i) -> Row             once an invocation for each row that it reads from, and likewise each column; also
//   find_column(j) -> Column       called past the edges, where nothing is read
//   find_step(k) -> Step
//   read_a(Row, Step) -> f32       within the extent only; 0 for padding
//   read_b(Step, Column) -> f32
//   store_sum(part, i, j, sum)     within the extent only
//
// Compiled in: TILE_M, TILE_N, TILE_K, RESULTS_M, RESULTS_N (see tile.ts), and UNROLLED: GPUs keep the sums in
// registers only where all loops over them are unrolled, which takes software drivers seconds (lavapipe, 2026-11); a
// count that only the running kernel knows keeps those from it.
// Grid: [⌈rows / TILE_M⌉ · ⌈columns / TILE_N⌉ in two axes (linear), …, parts].

struct Extent {
  rows: u32,
  columns: u32,
  depth: u32,
  // Steps in one part; the last may have fewer.
  part_depth: u32,
}

const THREADS_M = TILE_M / RESULTS_M;
const THREADS_N = TILE_N / RESULTS_N;
const THREADS = THREADS_M * THREADS_N;
const A_LOADS = TILE_M * TILE_K / THREADS;
const B_LOADS = TILE_N * TILE_K / THREADS;
// Reading along i or j, an invocation stays in one row of A, or column of B.
const OWN_ROWS = select(1u, A_LOADS, A_ALONG_K);
const OWN_COLUMNS = select(1u, B_LOADS, B_ALONG_K);

// Their rows are one element longer than the tile, so that neighbours along k write to different banks of memory.
var<workgroup> a_tile: array<array<f32, TILE_M + 1>, TILE_K>;
var<workgroup> b_tile: array<array<f32, TILE_N + 1>, TILE_K>;
var<workgroup> steps: array<Step, TILE_K>;

// Of the `item`th element that is loaded into a tile: its place along i or j, of `length`, and its place along k.
fn place(item: u32, length: u32, along_k: bool) -> vec2u {
  if (along_k) { return vec2u(item / TILE_K, item % TILE_K); }
  return vec2u(item % length, item / length);
}

fn step_at(first: u32, k: u32) -> Step {
  if (SHARED_STEPS) { return steps[k]; }
  return find_step(first + k);
}

// First row and column of the tile that the `workgroup`th workgroup computes: neighbours run along the shorter side of
// the result, so that those at work together read few rows of A and columns of B.
fn first_of_tile(workgroup: u32, rows: u32, columns: u32) -> vec2u {
  let down = (rows + TILE_M - 1u) / TILE_M;
  let across = (columns + TILE_N - 1u) / TILE_N;
  if (down < across) { return vec2u(workgroup % down * TILE_M, workgroup / down * TILE_N); }
  return vec2u(workgroup / across * TILE_M, workgroup % across * TILE_N);
}

@compute @workgroup_size(THREADS_N, THREADS_M)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let whole = extent();
  let first = first_of_tile(group.y * groups.x + group.x, whole.rows, whole.columns);
  if (first.x >= whole.rows || first.y >= whole.columns) { return; }
  let first_step = group.z * whole.part_depth;
  let end = min(first_step + whole.part_depth, whole.depth);

  var row: array<Row, OWN_ROWS>;
  for (var i = 0u; i < OWN_ROWS; i++) { row[i] = find_row(first.x + place(index + i * THREADS, TILE_M, A_ALONG_K).x); }
  var column: array<Column, OWN_COLUMNS>;
  for (var i = 0u; i < OWN_COLUMNS; i++) {
    column[i] = find_column(first.y + place(index + i * THREADS, TILE_N, B_ALONG_K).x);
  }

  var sum: array<array<f32, RESULTS_N>, RESULTS_M>;
  if (SHARED_STEPS && index < TILE_K) { steps[index] = find_step(first_step + index); }
  workgroupBarrier();
  for (var step = first_step; step < end; step += TILE_K) {
    for (var i = 0u; i < A_LOADS; i++) {
      let at = place(index + i * THREADS, TILE_M, A_ALONG_K);
      var value = 0.0;
      if (first.x + at.x < whole.rows && step + at.y < end) { value = read_a(row[i % OWN_ROWS], step_at(step, at.y)); }
      a_tile[at.y][at.x] = value;
    }
    for (var i = 0u; i < B_LOADS; i++) {
      let at = place(index + i * THREADS, TILE_N, B_ALONG_K);
      var value = 0.0;
      if (first.y + at.x < whole.columns && step + at.y < end) {
        value = read_b(step_at(step, at.y), column[i % OWN_COLUMNS]);
      }
      b_tile[at.y][at.x] = value;
    }
    workgroupBarrier();
    if (SHARED_STEPS && index < TILE_K) { steps[index] = find_step(step + TILE_K + index); }
    let depth = select(min(TILE_K, end - step), TILE_K, UNROLLED);
    for (var k = 0u; k < depth; k++) {
      var b_value: array<f32, RESULTS_N>;
      for (var s = 0u; s < RESULTS_N; s++) { b_value[s] = b_tile[k][local.x + s * THREADS_N]; }
      for (var r = 0u; r < RESULTS_M; r++) {
        let a_value = a_tile[k][local.y + r * THREADS_M];
        for (var s = 0u; s < RESULTS_N; s++) { sum[r][s] += a_value * b_value[s]; }
      }
    }
    workgroupBarrier();
  }

  let height = select(min(RESULTS_M, whole.rows), RESULTS_M, UNROLLED);
  for (var s = 0u; s < RESULTS_N; s++) {
    let j = first.y + local.x + s * THREADS_N;
    for (var r = 0u; r < height; r++) {
      let i = first.x + local.y + r * THREADS_M;
      if (i < whole.rows && j < whole.columns) { store_sum(group.z, i, j, sum[r][s]); }
    }
  }
}
