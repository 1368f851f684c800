import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drawWeight, drawWeights } from "../../src/kernels/mixup/index.js";
import { EXACT } from "../close.js";
import { useDevices } from "../devices.js";
import { anySeed, expectSame, runKernel, type Input } from "./harness.js";

const devices = useDevices();
const counter = (step: number): Input<"u32"> => ({ shape: [1], dtype: "u32", data: [step] });

describe("drawWeights", () => {
  it("agrees with the reference bit for bit", async () => {
    const problem = fc.record({
      count: fc.constantFrom(1, 2, 63, 64, 65, 300),
      step: fc.constantFrom(0, 1, 4294967295),
      share: fc.constantFrom(0, 0.25, 1),
      seed: anySeed,
    });
    await fc.assert(
      fc.asyncProperty(problem, async ({ count, step, share, seed }) => {
        await expectSame(
          devices,
          { counter: counter(step) },
          (recorder, tensors) => ({ out: drawWeights(recorder, count, { share, seed, ...tensors }) }),
          EXACT,
        );
      }),
    );
  });

  it("mixes the share, uniformly, and leaves the others", () => {
    const weights = Array.from({ length: 4000 }, (_, element) => drawWeight(element, 3, 1, 16384));
    const mixed = weights.filter((weight) => weight !== 1);
    // A quarter, with a standard deviation of 27.
    expect(Math.abs(mixed.length - 1000)).toBeLessThan(110);
    expect(mixed.every((weight) => weight >= 0 && weight < 1)).toBe(true);
    expect(mixed.reduce((sum, weight) => sum + weight, 0) / mixed.length).toBeCloseTo(0.5, 1);
  });

  it("says what does not fit", async () => {
    const attempt = (share: number) =>
      runKernel(devices.cpu, { counter: counter(0) }, (recorder, tensors) => ({
        out: drawWeights(recorder, 2, { share, seed: 0, ...tensors }),
      }));
    await expect(attempt(1.5)).rejects.toThrow("drawWeights: share is 1.5; expected a number from 0 to 1");
  });
});
