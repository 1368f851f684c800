import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { relu, reluBackward } from "../../src/kernels/activation/index.js";
import {
  avgPool2d,
  avgPool2dBackward,
  globalAvgPool,
  globalAvgPoolBackward,
  maxPool2d,
  maxPool2dBackward,
  planMaxPool,
  planMaxPoolBackward,
  pool2dGeometry,
  pool2dShape,
  type MaxPool2dOptions,
  type Pool2dOptions,
} from "../../src/kernels/pool/index.js";
import { CpuDevice, createTensor, Philox, Recorder, type Shape } from "../../src/tensor/index.js";
import { EXACT, expectClose, f32Tolerance, LINEAR_BY_DIFFERENCES } from "../close.js";
import { useDevices } from "../devices.js";
import { anySeed, edgeSize, expectSame, oddInput, randomInput, runKernel, type Input } from "./harness.js";
import { numericalGradient } from "./numerical-gradient.js";

const devices = useDevices();

interface Problem {
  readonly shape: Shape;
  readonly options: Pool2dOptions;
}

/** Windows that overlap, touch, leave gaps, and hang over the edges, on images from one pixel up. */
const problem: fc.Arbitrary<Problem> = fc
  .record({
    kernel: fc.integer({ min: 1, max: 5 }),
    stride: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
    paddingShare: fc.integer({ min: 0, max: 2 }),
    samples: edgeSize(3),
    channels: edgeSize(3),
    extraHeight: fc.integer({ min: 0, max: 12 }),
    extraWidth: fc.integer({ min: 0, max: 12 }),
  })
  .map(({ kernel, stride, paddingShare, samples, channels, extraHeight, extraWidth }) => {
    const padding = Math.floor((kernel * paddingShare) / 4);
    const least = Math.max(kernel - 2 * padding, 1);
    return {
      shape: [samples, channels, least + extraHeight, least + extraWidth],
      options: { kernel, stride, padding },
    };
  });

/** Values of which many are equal, so that windows have several maxima. */
function tiedInput(shape: Shape, seed: number): Input<"f32"> {
  const { data } = randomInput(shape, seed);
  return { shape, dtype: "f32", data: Float32Array.from(data, (value) => Math.round(value * 2) / 2) };
}

/** Many equal values, NaN and infinities: the maxima and their gradient have to be the reference's. */
async function expectMaximaOfOddValues(shape: Shape, options: MaxPool2dOptions, seed: number): Promise<void> {
  const x = tiedInput(shape, seed);
  const random = new Philox(seed);
  const odd = [NaN, Infinity, -Infinity];
  const data = Float32Array.from(x.data, (value) => (random.float() < 0.2 ? odd[random.below(3)] : value));
  const inputs = { x: { ...x, data }, dOut: oddInput(pool2dShape(shape, options), seed + 1) };
  await expectSame(
    devices,
    inputs,
    (recorder, { x, dOut }) => {
      const out = maxPool2d(recorder, x, options);
      return { out, dX: maxPool2dBackward(recorder, x, out, dOut, options) };
    },
    { out: EXACT, dX: f32Tolerance(25) },
  );
}

describe("max pooling", () => {
  it("agrees with the reference to the bit, forward and backward, ties included", async () => {
    await fc.assert(
      fc.asyncProperty(
        problem,
        anySeed,
        fc.boolean(),
        fc.boolean(),
        async ({ shape, options: window }, seed, tied, relu) => {
          const options = { ...window, relu };
          const inputs = {
            x: tied ? tiedInput(shape, seed) : randomInput(shape, seed),
            dOut: randomInput(pool2dShape(shape, options), seed + 1),
          };
          await expectSame(
            devices,
            inputs,
            (recorder, { x, dOut }) => {
              const out = maxPool2d(recorder, x, options);
              return { out, dX: maxPool2dBackward(recorder, x, out, dOut, options) };
            },
            { out: EXACT, dX: f32Tolerance(25) },
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it("takes the first of equal maxima, a NaN over all, and -Infinity where there is nothing else", async () => {
    const inputs = {
      x: {
        shape: [1, 1, 2, 10],
        dtype: "f32",
        data: [
          [1, 3, NaN, 9, 5, 5, -Infinity, -Infinity, -0, 0],
          [3, 3, NaN, 9, 5, 5, -Infinity, -Infinity, 0, -1],
        ].flat(),
      },
      dOut: { shape: [1, 1, 1, 5], dtype: "f32", data: [10, 20, 30, 40, 50] },
    } satisfies Record<string, Input>;
    for (const device of [devices.cpu, devices.gpu]) {
      const { out, dX } = await runKernel(device, inputs, (recorder, { x, dOut }) => {
        const out = maxPool2d(recorder, x, { kernel: 2 });
        return { out, dX: maxPool2dBackward(recorder, x, out, dOut, { kernel: 2 }) };
      });
      expectClose(out, [3, NaN, 5, -Infinity, 0], EXACT);
      expectClose(dX, [0, 10, 20, 0, 30, 0, 40, 0, 50, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], EXACT);
    }
  });

  it("agrees with the reference on NaN and infinities in overlapping windows", async () => {
    await fc.assert(
      fc.asyncProperty(problem, anySeed, fc.boolean(), async ({ shape, options }, seed, relu) => {
        await expectMaximaOfOddValues(shape, { ...options, relu }, seed);
      }),
      { numRuns: 40 },
    );
  });

  it("agrees with the reference on ties, NaN and infinities in windows that touch or leave gaps", async () => {
    // Few kernels and strides: each is a pipeline of its own. Sizes that the stride divides, and others.
    const windows = fc.constantFrom<MaxPool2dOptions>(
      { kernel: 2, stride: 3 },
      { kernel: 3 },
      { kernel: 2, stride: 5, relu: true },
    );
    const side = fc.integer({ min: 3, max: 16 });
    await fc.assert(
      fc.asyncProperty(windows, edgeSize(3), side, side, anySeed, async (options, samples, height, width, seed) => {
        const shape = [samples, 2, height, width];
        const plan = planMaxPoolBackward(pool2dGeometry(shape, options), false, devices.gpu.capabilities);
        expect(plan.program.name).toMatch("disjoint");
        await expectMaximaOfOddValues(shape, options, seed);
      }),
      { numRuns: 60 },
    );
  });

  it("agrees with the reference on ties, NaN and infinities in windows of 2 × 2, two at a time or not", async () => {
    const height = fc.constantFrom(2, 3, 4, 6, 16);
    const width = fc.constantFrom(2, 4, 5, 6, 8, 12, 20);
    await fc.assert(
      fc.asyncProperty(
        edgeSize(3),
        height,
        width,
        anySeed,
        fc.boolean(),
        async (samples, height, width, seed, relu) => {
          const shape = [samples, 2, height, width];
          const geometry = pool2dGeometry(shape, { kernel: 2 });
          const pairs = height % 2 === 0 && width % 4 === 0;
          const forward = planMaxPool(geometry, relu, devices.gpu.capabilities).program.name;
          expect(forward).toBe(pairs ? "pool/max-2x2" : "pool/max");
          const backward = planMaxPoolBackward(geometry, relu, devices.gpu.capabilities).program.name;
          expect(backward).toBe(pairs ? "pool/max-2x2-backward" : "pool/max-backward-disjoint");
          await expectMaximaOfOddValues(shape, { kernel: 2, relu }, seed);
        },
      ),
      { numRuns: 80 },
    );
  });

  it("with relu does what relu before it does", async () => {
    for (const options of [{ kernel: 2 }, { kernel: 3, stride: 2 }]) {
      const inputs = { x: tiedInput([3, 2, 8, 8], 5), dOut: randomInput(pool2dShape([3, 2, 8, 8], options), 6) };
      const { fused, dFused, separate, dSeparate } = await runKernel(devices.gpu, inputs, (recorder, { x, dOut }) => {
        const fused = maxPool2d(recorder, x, { ...options, relu: true });
        const activated = relu(recorder, x);
        const separate = maxPool2d(recorder, activated, options);
        const dActivated = maxPool2dBackward(recorder, activated, separate, dOut, options);
        return {
          fused,
          dFused: maxPool2dBackward(recorder, x, fused, dOut, { ...options, relu: true }),
          separate,
          dSeparate: reluBackward(recorder, activated, dActivated),
        };
      });
      expectClose(fused, separate, EXACT);
      expectClose(dFused, dSeparate, EXACT);
    }
  });

  it("never takes the padding, even where all is below 0", async () => {
    const inputs = { x: { shape: [1, 1, 2, 2], dtype: "f32", data: [-4, -3, -2, -1] } satisfies Input<"f32"> };
    const { out } = await runKernel(devices.gpu, inputs, (recorder, { x }) => ({
      out: maxPool2d(recorder, x, { kernel: 3, stride: 1, padding: 1 }),
    }));
    expectClose(out, [-1, -1, -1, -1], EXACT);
  });

  it.each<MaxPool2dOptions>([
    { kernel: 2 },
    { kernel: 2, relu: true },
    { kernel: 3, stride: 2, padding: 1 },
    { kernel: 3, stride: 2, relu: true },
    { kernel: 2, stride: 3 },
  ])("has the gradient that finite differences show, for %o", async (options) => {
    // No two values closer than 0.05, and none closer to 0 than half of that, more than the step: no maximum changes.
    const values = new Philox(4).shuffle(Float32Array.from({ length: 96 }, (_, index) => (index - 47.5) / 20));
    const x: Input<"f32"> = { shape: [1, 2, 6, 8], dtype: "f32", data: values };
    const dOut = randomInput(pool2dShape(x.shape, options), 2);
    const expected = await numericalGradient(devices.cpu, { x }, "x", dOut.data, (recorder, tensors) =>
      maxPool2d(recorder, tensors.x, options),
    );
    const { dX } = await runKernel(devices.gpu, { x, dOut }, (recorder, tensors) => {
      const out = maxPool2d(recorder, tensors.x, options);
      return { dX: maxPool2dBackward(recorder, tensors.x, out, tensors.dOut, options) };
    });
    expectClose(dX, expected, LINEAR_BY_DIFFERENCES);
  });
});

describe("average pooling", () => {
  it("agrees with the reference, forward and backward", async () => {
    await fc.assert(
      fc.asyncProperty(problem, anySeed, async ({ shape, options }, seed) => {
        await expectSame(
          devices,
          { x: randomInput(shape, seed), dOut: randomInput(pool2dShape(shape, options), seed + 1) },
          (recorder, { x, dOut }) => ({
            out: avgPool2d(recorder, x, options),
            dX: avgPool2dBackward(recorder, dOut, shape, options),
          }),
          f32Tolerance(25),
        );
      }),
      { numRuns: 60 },
    );
  });

  it("agrees with the reference over whole planes", async () => {
    const side = fc.constantFrom(1, 2, 7, 8, 31, 56);
    await fc.assert(
      fc.asyncProperty(edgeSize(4), edgeSize(16), side, side, anySeed, async (samples, channels, h, w, seed) => {
        const shape = [samples, channels, h, w];
        await expectSame(
          devices,
          { x: randomInput(shape, seed), dOut: randomInput([samples, channels], seed + 1) },
          (recorder, { x, dOut }) => ({
            out: globalAvgPool(recorder, x),
            dX: globalAvgPoolBackward(recorder, dOut, shape),
          }),
          f32Tolerance(),
        );
      }),
      { numRuns: 30 },
    );
  });

  it("counts padding as zeros and divides by the whole window", async () => {
    const inputs = { x: { shape: [1, 1, 2, 2], dtype: "f32", data: [4, 8, 12, 16] } satisfies Input<"f32"> };
    for (const device of [devices.cpu, devices.gpu]) {
      const { padded, whole } = await runKernel(device, inputs, (recorder, { x }) => ({
        padded: avgPool2d(recorder, x, { kernel: 2, padding: 1 }),
        whole: globalAvgPool(recorder, x),
      }));
      expectClose(padded, [1, 2, 3, 4], EXACT);
      expectClose(whole, [10], EXACT);
    }
  });

  it("carries NaN and infinities to the windows that hold them, and no others, forward and backward", async () => {
    await fc.assert(
      fc.asyncProperty(problem, anySeed, async ({ shape, options }, seed) => {
        const inputs = {
          x: oddInput(shape, seed),
          dOut: oddInput(pool2dShape(shape, options), seed + 1),
          dWhole: oddInput(shape.slice(0, 2), seed + 2),
        };
        await expectSame(
          devices,
          inputs,
          (recorder, { x, dOut, dWhole }) => ({
            out: avgPool2d(recorder, x, options),
            dX: avgPool2dBackward(recorder, dOut, shape, options),
            whole: globalAvgPool(recorder, x),
            dXWhole: globalAvgPoolBackward(recorder, dWhole, shape),
          }),
          f32Tolerance(25),
        );
      }),
      { numRuns: 40 },
    );
  });

  it("has the gradients that finite differences show", async () => {
    const options = { kernel: 3, stride: 2, padding: 1 };
    const x = randomInput([1, 2, 5, 4], 1);
    const dOut = randomInput(pool2dShape(x.shape, options), 2);
    const dWhole = randomInput([1, 2], 3);
    const windows = await numericalGradient(devices.cpu, { x }, "x", dOut.data, (recorder, tensors) =>
      avgPool2d(recorder, tensors.x, options),
    );
    const planes = await numericalGradient(devices.cpu, { x }, "x", dWhole.data, (recorder, tensors) =>
      globalAvgPool(recorder, tensors.x),
    );
    const { dX, dXWhole } = await runKernel(devices.gpu, { dOut, dWhole }, (recorder, tensors) => ({
      dX: avgPool2dBackward(recorder, tensors.dOut, x.shape, options),
      dXWhole: globalAvgPoolBackward(recorder, tensors.dWhole, x.shape),
    }));
    expectClose(dX, windows, LINEAR_BY_DIFFERENCES);
    expectClose(dXWhole, planes, LINEAR_BY_DIFFERENCES);
  });
});

describe("pooling's contract", () => {
  it("gives the shape of the result", () => {
    expect(pool2dShape([8, 3, 28, 27], { kernel: 2 })).toEqual([8, 3, 14, 13]);
    expect(pool2dShape([8, 3, 28, 27], { kernel: 3, stride: 2, padding: 1 })).toEqual([8, 3, 14, 14]);
  });

  it("says what does not fit", () => {
    const recorder = new Recorder(new CpuDevice());
    const x = createTensor(recorder.device, [1, 1, 4, 4]);
    const dOut = createTensor(recorder.device, [1, 1, 3, 2]);
    expect(() => pool2dShape([1, 28, 28], { kernel: 2 })).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: pool2d: x is [1, 28, 28]; expected 4 axes (N C H W)]`,
    );
    expect(() => pool2dShape([1, 1, 4, 1], { kernel: 3 })).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: pool2d: x is [1, 1, 4, 1]; a window of 3 × 3 with padding 0 does not fit: use a smaller kernel or larger images]`,
    );
    expect(() => pool2dShape([1, 1, 4, 4], { kernel: 2, padding: 2 })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: pool2d: padding is 2; expected at most half of kernel 2]`,
    );
    expect(() => pool2dShape([1, 1, 4, 4], { kernel: 2, stride: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: pool2d: stride is 0; expected a whole number from 1 up]`,
    );
    expect(() => avgPool2dBackward(recorder, dOut, x.shape, { kernel: 2 })).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: avgPool2dBackward: dOut is [1, 1, 3, 2]; expected [1, 1, 2, 2]]`,
    );
    expect(() => maxPool2dBackward(recorder, x, x, dOut, { kernel: 2 })).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: maxPool2dBackward: out is [1, 1, 4, 4]; expected [1, 1, 2, 2]]`,
    );
    expect(() => globalAvgPoolBackward(recorder, dOut, x.shape)).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: globalAvgPoolBackward: dOut is [1, 1, 3, 2]; expected [1, 1]]`,
    );
  });
});
