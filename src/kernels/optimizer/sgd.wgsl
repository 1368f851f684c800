// One step of SGD with momentum, in place, by PyTorch's formulas: g = gradients + weight_decay · p;
// velocity = momentum · velocity + g; p −= rate · (nesterov ? g + momentum · velocity : velocity).
// The rate is that of the counter's step, or the last one.
// Joined behind a declaration of `Element`, f32 or vec4f: `count` counts elements.
// Compiled in: WORKGROUP, RUN (elements that an invocation takes, WORKGROUP apart).
// Grid: linear, RUN elements an invocation.

struct Params { count: u32, last_rate: u32, momentum: f32, weight_decay: f32, nesterov: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradients: array<Element>;
@group(0) @binding(2) var<storage, read> rates: array<f32>;
@group(0) @binding(3) var<storage, read> counter: array<u32>;
@group(0) @binding(4) var<storage, read_write> parameters: array<Element>;
@group(0) @binding(5) var<storage, read_write> velocity: array<Element>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let first = (group.y * groups.x + group.x) * WORKGROUP * RUN + local;
  let rate = rates[min(counter[0], params.last_rate)];
  for (var i = first; i < min(first + WORKGROUP * RUN, params.count); i += WORKGROUP) {
    let gradient = gradients[i] + params.weight_decay * parameters[i];
    let speed = params.momentum * velocity[i] + gradient;
    velocity[i] = speed;
    parameters[i] -= rate * select(speed, gradient + params.momentum * speed, params.nesterov != 0u);
  }
}
