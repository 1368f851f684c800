// Adds 1 to each of four counters, modulo 2^32.
// Grid: [1, 1, 1], one invocation.

@group(0) @binding(1) var<storage, read_write> first: array<u32>;
@group(0) @binding(2) var<storage, read_write> second: array<u32>;
@group(0) @binding(3) var<storage, read_write> third: array<u32>;
@group(0) @binding(4) var<storage, read_write> fourth: array<u32>;

@compute @workgroup_size(1)
fn main() {
  first[0]++;
  second[0]++;
  third[0]++;
  fourth[0]++;
}
