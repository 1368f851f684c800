// A kernel of your own: softplus, ln(1 + exp(x)) of each element. The CPU reference defines the result and is what
// `openDevice("cpu")` runs; own-kernel.test.mjs holds the WGSL against it. Run: node own-kernel.mjs

import { pathToFileURL } from "node:url";
import { output, planRuns } from "activemixup/kernels";
import { createTensor, expectDType, hostArray, openDevice, readTensor, record } from "activemixup/tensor";

// `planRuns` joins an entry point behind this: it calls write_element for each index below params.size. The tensors are
// bindings 1, 2, …, those that are read before those that are written.
const source = /* wgsl */ `
struct Params { size: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

fn write_element(index: u32) {
  out[index] = max(x[index], 0.0) + log(1.0 + exp(-abs(x[index])));
}`;

/** The reference: plain loops on host arrays, in f64. */
export function softplusReference(x, out) {
  for (const [index, value] of x.entries()) out[index] = Math.max(value, 0) + Math.log1p(Math.exp(-Math.abs(value)));
}

/**
 * Records softplus of each element of x, f32 of any shape.
 * @param {import("activemixup/tensor").Recorder} recorder
 * @param {import("activemixup/tensor").Tensor<"f32">} x
 * @param {import("activemixup/kernels").Target} target where the result goes, if not to an intermediate
 */
export function softplus(recorder, x, target = {}) {
  expectDType("softplus", "x", x, "f32");
  const out = output(recorder, "softplus", x.shape, target);
  recorder.add({
    kernel: "softplus",
    reads: [x],
    writes: [out],
    reference: () => softplusReference(hostArray(x), hostArray(out)),
    plan: (capabilities) => planRuns({ name: "softplus", source: [source] }, x.size, [], capabilities),
  });
  return out;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const device = await openDevice("auto");
  const x = createTensor(device, [5], { data: [-2, -1, 0, 1, 2] });
  const recording = await record(device, (recorder) => recorder.keep(softplus(recorder, x)));
  recording.run();
  console.log(...Array.from(await readTensor(recording.result), (value) => value.toFixed(4))); // 0.1269 … 2.1269
  device.destroy();
}
