import { hostArray, type Problem, type Tensor } from "../../../src/tensor/index.js";

const program = (statements: string) => `
struct Params { size: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
fn spent(times: u32, seed: f32) -> f32 {
  var sum = seed;
  for (var i = 0u; i < times; i++) { sum = sum * 1.000001 + 0.5; }
  return select(0.0, 1.0, sum == 0.125);
}
@compute @workgroup_size(1) fn main(@builtin(workgroup_id) group: vec3u) {
  let i = group.x;
  ${statements}
}`;

/** Ways to double numbers, good and bad. */
const bodies = {
  plain: "out[i] = 2.0 * x[i];",
  slow: "out[i] = 2.0 * x[i] + spent(4000000u, x[i]);",
  "off by one": "out[i] = 2.0 * x[min(i + 1u, params.size - 1u)];",
  "last left out": "if (i < params.size - 1u) { out[i] = 2.0 * x[i]; }",
  broken: "out[i] = nonsense;",
  "for ever": "out[i] = 2.0 * x[i] + spent(500000000u, x[i]);",
};

export type Doubling = keyof typeof bodies;

/** A problem for tests: twice the numbers of x, f32 [size], in the given ways. */
export function doubling(size: number, candidates: readonly Doubling[], byRule = candidates[0]): Problem {
  return {
    key: `double ${size}`,
    candidates,
    byRule,
    inputs: [{ shape: [size], dtype: "f32" }],
    axes: [0],
    multiplyAdds: size,
    record(recorder, inputs, variant) {
      const [x] = inputs as Tensor<"f32">[];
      const out = recorder.temporary(x.shape, "out");
      recorder.add({
        kernel: "double",
        reads: [x],
        writes: [out],
        reference: () => {
          hostArray(out).set(hostArray(x).map((value) => 2 * value));
        },
        plan: () => ({
          program: { name: `double/${variant}`, source: [program(bodies[variant as Doubling])] },
          params: [x.size],
          grid: [x.size, 1, 1],
        }),
      });
      return out;
    },
  };
}
