// Holds a kernel's WGSL against its CPU reference on random values, in lengths around the edges of workgroups.
// Run: npm install fast-check && node --test own-kernel.test.mjs

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { createTensor, openDevice, readTensor, record } from "activemixup/tensor";
import fc from "fast-check";
import { softplus } from "./own-kernel.mjs";

const cpu = await openDevice("cpu", { poison: true }); // New memory is NaN: what nobody wrote is seen.
const gpu = await openDevice("auto", { poison: true });
after(() => [cpu, gpu].forEach((device) => device.destroy()));

async function run(device, values) {
  const x = createTensor(device, [values.length], { data: values });
  const recording = await record(device, (recorder) => recorder.keep(softplus(recorder, x)));
  recording.run();
  const result = await readTensor(recording.result);
  recording.dispose();
  x.dispose();
  return result;
}

test("softplus is what its reference says", async () => {
  const length = fc.constantFrom(1, 63, 64, 65, 511, 512, 513, 2049);
  await fc.assert(
    fc.asyncProperty(length, fc.float({ min: -80, max: 80, noNaN: true }), async (count, offset) => {
      const values = Float32Array.from({ length: count }, (_, index) => offset * Math.cos(index));
      const [expected, actual] = [await run(cpu, values), await run(gpu, values)];
      for (const [index, value] of expected.entries()) {
        const allowed = 1e-6 + 1e-5 * Math.abs(value);
        assert.ok(Math.abs(actual[index] - value) <= allowed, `[${index}] ${actual[index]}, expected ${value}`);
      }
    }),
    { numRuns: 20 },
  );
});
