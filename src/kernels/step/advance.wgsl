// counter[0] += by, modulo 2^32.
// Grid: [1, 1, 1], one invocation.

struct Params { by: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> counter: array<u32>;

@compute @workgroup_size(1)
fn main() {
  counter[0] += params.by;
}
