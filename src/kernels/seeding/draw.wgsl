// Chooses the next candidate by `nearest`: at the first pick the largest, later i with probability nearest[i] / Σ, and
// where all are 0 the first that was not chosen (−1). Appends it to `chosen`, copies its column of `embeddings` to
// `centre` and adds 1 to the counter; nothing where `chosen` is full. Joined behind philox.wgsl.
// Each invocation adds up a run of vectors; then one of them walks along the runs' sums, and along the vectors of the
// run that it stops in. All sums are made in the order of the candidates, so a walk's sums never fall, and it stops
// where a sum grows: at a weight above 0. Where rounding lets it pass the end it takes the last such.
//   nearest     [vectors], four candidates a vector, `per_run` vectors a run
//   embeddings  [rows + 1, 4 · vectors], centre [rows + 1]
// Grid: one workgroup.

struct Params { vectors: u32, per_run: u32, rows: u32, picks: u32, seed: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> embeddings: array<f32>;
@group(0) @binding(2) var<storage, read> nearest: array<vec4f>;
@group(0) @binding(3) var<storage, read> round: array<u32>;
@group(0) @binding(4) var<storage, read_write> counter: array<u32>;
@group(0) @binding(5) var<storage, read_write> chosen: array<u32>;
@group(0) @binding(6) var<storage, read_write> centre: array<f32>;

const NONE = 0xffffffffu;

// Of each run: the sum of its weights, its largest, and its first candidate that was not chosen.
var<workgroup> sums: array<f32, WORKGROUP>;
var<workgroup> largest: array<f32, WORKGROUP>;
var<workgroup> unchosen: array<u32, WORKGROUP>;
var<workgroup> winner: u32;

fn end_of(run: u32) -> u32 {
  return min((run + 1u) * params.per_run, params.vectors);
}

fn take_up(run: u32) {
  var sum = 0.0;
  var most = -1.0;
  var first = NONE;
  for (var i = run * params.per_run; i < end_of(run); i++) {
    let weights = nearest[i];
    for (var c = 0u; c < 4u; c++) {
      let weight = weights[c];
      sum += max(weight, 0.0);
      most = max(most, weight);
      if (first == NONE && weight >= 0.0) { first = 4u * i + c; }
    }
  }
  sums[run] = sum;
  largest[run] = most;
  unchosen[run] = first;
}

fn first_unchosen() -> u32 {
  var first = NONE;
  for (var run = 0u; run < WORKGROUP; run++) { first = min(first, unchosen[run]); }
  return first;
}

// The first of the largest; there is one, as no candidate was chosen yet.
fn find_largest() -> u32 {
  var best = 0u;
  for (var run = 1u; run < WORKGROUP; run++) {
    if (largest[run] > largest[best]) { best = run; }
  }
  for (var i = best * params.per_run; i < end_of(best); i++) {
    for (var c = 0u; c < 4u; c++) {
      if (nearest[i][c] == largest[best]) { return 4u * i + c; }
    }
  }
  return 0u;
}

fn draw(pick: u32) -> u32 {
  var total = 0.0;
  for (var run = 0u; run < WORKGROUP; run++) { total += sums[run]; }
  let wanted = total * unit_float(philox(vec4u(pick, round[0], SEEDING_STREAM, 0u), vec2u(params.seed, 0u)).x);

  var sum = 0.0;
  var before = 0.0;
  var chosen_run = NONE;
  for (var run = 0u; run < WORKGROUP && wanted >= sum; run++) {
    if (sums[run] > 0.0) {
      chosen_run = run;
      before = sum;
    }
    sum += sums[run];
  }
  if (chosen_run == NONE) { return first_unchosen(); }

  let rest = wanted - before;
  var candidate = NONE;
  sum = 0.0;
  for (var i = chosen_run * params.per_run; i < end_of(chosen_run); i++) {
    let weights = nearest[i];
    for (var c = 0u; c < 4u; c++) {
      if (weights[c] > 0.0 && rest >= sum) { candidate = 4u * i + c; }
      sum += max(weights[c], 0.0);
    }
    if (rest < sum) { break; }
  }
  return candidate;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32) {
  let pick = counter[0];
  take_up(local);
  workgroupBarrier();
  if (local == 0u) {
    if (pick == 0u) { winner = find_largest(); } else { winner = draw(pick); }
  }
  workgroupBarrier();
  if (pick >= params.picks) { return; }
  for (var row = local; row <= params.rows; row += WORKGROUP) {
    centre[row] = embeddings[row * 4u * params.vectors + winner];
  }
  if (local == 0u) {
    chosen[pick] = winner;
    counter[0] = pick + 1u;
  }
}
