import { hostArray, type Launch, type Tensor } from "../../src/tensor/index.js";

const linear = (body: string) => `
struct Params { count: u32, by: u32 }
@group(0) @binding(0) var<uniform> params: Params;
${body}`;

const MAIN = "@compute @workgroup_size(1) fn main(@builtin(workgroup_id) group: vec3u)";

const ADD = linear(`
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<u32>;
${MAIN} { out[group.x] = x[group.x] + params.by; }`);

const INCREASE = linear(`
@group(0) @binding(1) var<storage, read_write> x: array<u32>;
${MAIN} { x[group.x] += params.by; }`);

/** A launch for tests: out = x + by, for u32 of up to 65535 elements. */
export function addLaunch(x: Tensor<"u32">, out: Tensor<"u32">, by: number): Launch {
  return {
    kernel: "add",
    reads: [x],
    writes: [out],
    reference: () => {
      hostArray(out).set(hostArray(x).map((value) => value + by));
    },
    plan: () => ({ program: { name: "test/add", source: [ADD] }, params: [x.size, by], grid: [x.size, 1, 1] }),
  };
}

/** A launch for tests: x += by, in place. */
export function increaseLaunch(x: Tensor<"u32">, by: number): Launch {
  return {
    kernel: "increase",
    reads: [],
    writes: [x],
    reference: () => {
      hostArray(x).set(hostArray(x).map((value) => value + by));
    },
    plan: () => ({
      program: { name: "test/increase", source: [INCREASE] },
      params: [x.size, by],
      grid: [x.size, 1, 1],
    }),
  };
}
