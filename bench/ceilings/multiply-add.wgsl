// out[i] = the sum of the ends of twelve chains of 16 · `rounds` multiply-adds each, y ← y · factor + addend, that start
// at 12 · (i mod 1024), 12 · (i mod 1024) + 1, …
// No memory in between: what the arithmetic gives at best. The chains do not depend on each other, so that one does not
// wait for another's result, and their numbers come at run time, so that the compiler cannot fold them.
// Compiled in: WORKGROUP.
// Grid: one invocation to an element of `out`.

struct Params {
  rounds: u32,
  factor: f32,
  addend: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;

// Four steps of four chains. Many steps a turn of the loop: on lavapipe a turn itself costs as much as some of them.
fn four(y: vec4f, factor: vec4f, addend: vec4f) -> vec4f {
  return fma(fma(fma(fma(y, factor, addend), factor, addend), factor, addend), factor, addend);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let factor = vec4f(params.factor);
  let addend = vec4f(params.addend);
  var y0 = f32(12u * (id.x % 1024u)) + vec4f(0.0, 1.0, 2.0, 3.0);
  var y1 = y0 + 4.0;
  var y2 = y0 + 8.0;
  for (var round = 0u; round < params.rounds; round++) {
    y0 = four(y0, factor, addend);
    y1 = four(y1, factor, addend);
    y2 = four(y2, factor, addend);
    y0 = four(y0, factor, addend);
    y1 = four(y1, factor, addend);
    y2 = four(y2, factor, addend);
    y0 = four(y0, factor, addend);
    y1 = four(y1, factor, addend);
    y2 = four(y2, factor, addend);
    y0 = four(y0, factor, addend);
    y1 = four(y1, factor, addend);
    y2 = four(y2, factor, addend);
  }
  let sum = y0 + y1 + y2;
  if (id.x < arrayLength(&out)) { out[id.x] = sum.x + sum.y + sum.z + sum.w; }
}
