// nearest[i] = min(nearest[i], squared distance of candidate i to the one chosen last): ‖x_i‖² + ‖x_c‖² −
// 2 ⟨a_i, a_c⟩ (⟨b_i, b_c⟩ + 1), 0 where that is negative or no finite number, at most 1e30; −1 for the one chosen last, and past the
// last candidate. Before the first pick the squared norms themselves. What `nearest` holds counts from the third on.
// Joined behind nan.wgsl.
//   embeddings  [rows + 1, vectors], four candidates a vector: `classes` rows of a, then those of b, then ‖x‖²
//   centre      [rows + 1], the column of the candidate chosen last
// Grid: linear, one invocation a vector.

struct Params { candidates: u32, vectors: u32, classes: u32, rows: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> embeddings: array<vec4f>;
@group(0) @binding(2) var<storage, read> centre: array<f32>;
@group(0) @binding(3) var<storage, read> counter: array<u32>;
@group(0) @binding(4) var<storage, read> chosen: array<u32>;
@group(0) @binding(5) var<storage, read_write> nearest: array<vec4f>;

fn product(i: u32, start: u32, end: u32) -> vec4f {
  var sum = vec4f(0.0);
  var at = start * params.vectors + i;
  for (var row = start; row < end; row++) {
    sum += embeddings[at] * centre[row];
    at += params.vectors;
  }
  return sum;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.y * groups.x + group.x) * WORKGROUP + local;
  if (i >= params.vectors) { return; }
  let pick = counter[0];
  var distance = embeddings[params.rows * params.vectors + i];
  // No candidate has this number.
  var last = 0xffffffffu;
  if (pick > 0u) {
    last = chosen[min(pick, arrayLength(&chosen)) - 1u];
    let a = product(i, 0u, params.classes);
    let b = product(i, params.classes, params.rows) + 1.0;
    distance += centre[params.rows] - 2.0 * a * b;
  }
  for (var c = 0u; c < 4u; c++) {
    var own = clamp(finite_or_zero(distance[c]), 0.0, 1e30);
    if (pick > 1u) { own = min(own, nearest[i][c]); }
    let candidate = 4u * i + c;
    distance[c] = select(own, -1.0, candidate == last || candidate >= params.candidates);
  }
  nearest[i] = distance;
}
