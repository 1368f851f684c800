// The running mean of the parameters over the steps from the one in `start`, in place: average += (p − average) / k for
// the k-th of them. Before that step nothing is written.
// Joined behind a declaration of `Element`, f32 or vec4f: `count` counts elements.
// Compiled in: WORKGROUP, RUN (elements that an invocation takes, WORKGROUP apart).
// Grid: linear, RUN elements an invocation.

struct Params { count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> parameters: array<Element>;
@group(0) @binding(2) var<storage, read> start: array<u32>;
@group(0) @binding(3) var<storage, read> counter: array<u32>;
@group(0) @binding(4) var<storage, read_write> average: array<Element>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  if (counter[0] < start[0]) { return; }
  let begins = counter[0] == start[0];
  let share = 1.0 / (f32(counter[0] - start[0]) + 1.0);
  let first = (group.y * groups.x + group.x) * WORKGROUP * RUN + local;
  for (var i = first; i < min(first + WORKGROUP * RUN, params.count); i += WORKGROUP) {
    // What an earlier mean left behind is overwritten, were it NaN.
    if (begins) { average[i] = parameters[i]; } else { average[i] += share * (parameters[i] - average[i]); }
  }
}
