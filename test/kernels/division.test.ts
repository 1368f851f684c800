import { expect, it } from "vitest";
import divisionSource from "../../src/kernels/division.wgsl?raw";
import { Philox, type GpuPlan } from "../../src/tensor/index.js";
import { EXACT, expectClose } from "../close.js";
import { useDevices } from "../devices.js";
import { runKernel, type Input } from "./harness.js";

const devices = useDevices();

const body = `
struct Params { size: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> n: array<u32>;
@group(0) @binding(2) var<storage, read> d: array<u32>;
@group(0) @binding(3) var<storage, read_write> quotient: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < params.size) { quotient[id.x] = divide(n[id.x], d[id.x]); }
}`;

it("divides exactly, above all beside multiples of the divisor", async () => {
  const random = new Philox(1);
  const n: number[] = [];
  const d: number[] = [];
  for (let count = 0; count < 100_000; count++) {
    // Divisors of every size up to 2^22, numbers of every size below 2^31.
    const divisor = 1 + random.below(2 ** random.below(23));
    const largest = 2 ** (1 + random.below(31)) - 1;
    const multiple = random.below(Math.floor(largest / divisor) + 1) * divisor;
    for (const number of [multiple - 1, multiple, multiple + divisor - 1, 2 ** 31 - 1]) {
      if (number < 0 || number >= 2 ** 31) continue;
      n.push(number);
      d.push(divisor);
    }
  }
  const size = n.length;
  expect(size).toBeGreaterThan(300_000);
  const input = (data: number[]): Input<"u32"> => ({ shape: [size], dtype: "u32", data });
  const { quotient } = await runKernel(devices.gpu, { n: input(n), d: input(d) }, (recorder, tensors) => {
    const quotient = recorder.temporary([size], "quotient", "u32");
    const plan = (): GpuPlan => ({
      program: { name: "divide", source: [divisionSource, body] },
      params: [size],
      grid: [Math.ceil(size / 64), 1, 1],
    });
    recorder.add({
      kernel: "divide",
      reads: [tensors.n, tensors.d],
      writes: [quotient],
      reference: () => undefined,
      plan,
    });
    return { quotient };
  });
  expectClose(
    quotient,
    n.map((number, index) => Math.floor(number / d[index])),
    EXACT,
  );
});
