import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  conv2d,
  conv2dInputGradient,
  conv2dShape,
  conv2dSizes,
  conv2dWeightGradient,
  type Conv2dVariant,
} from "../../src/kernels/conv2d/index.js";
import { forwardCorrelation } from "../../src/kernels/conv2d/correlation.js";
import { planCorrelation, planWeightGradient } from "../../src/kernels/conv2d/plan.js";
import { tiledVariants } from "../../src/kernels/gemm/tile.js";
import type { Shape } from "../../src/tensor/index.js";
import { expectClose, f32Tolerance, LINEAR_BY_DIFFERENCES } from "../close.js";
import { useDevices } from "../devices.js";
import { anySeed, expectSame, oddInput, randomInput, runKernel, type Input } from "./harness.js";

const devices = useDevices();
/** Of the weights' gradient, and of the others. */
const variants: Conv2dVariant[] = ["direct", "subgroup", ...tiledVariants];
const moreVariants: Conv2dVariant[] = [...variants, "few-channels"];

/**
 * Whether the device in hand can run the variant. Lavapipe with vectors of 256 bits must: it is what `subgroup` is for.
 */
function runs(variant: Conv2dVariant): boolean {
  const { info, capabilities } = devices.gpu;
  if (/llvmpipe.*256.bits/.test(info.adapter)) expect(capabilities.subgroupSize).toBe(8);
  return variant !== "subgroup" || capabilities.subgroupSize === 8;
}

/** Requires the device in hand to refuse the variant. */
async function expectRefusal(variant: Conv2dVariant): Promise<void> {
  const inputs = { x: randomInput([1, 1, 4, 4], 1), weight: randomInput([1, 1, 3, 3], 2) };
  const run = runKernel(devices.gpu, inputs, (recorder, { x, weight }) => ({
    out: conv2d(recorder, x, weight, undefined, { variant }),
  }));
  await expect(run).rejects.toThrow(/needs subgroups of 8; this device's subgroupSize is/);
}

interface Problem {
  x: number[];
  weight: number[];
  out: Shape;
  stride: number;
  padding: number;
  seed: number;
}

interface Axes {
  c: fc.Arbitrary<number>;
  h: fc.Arbitrary<number>;
  w: fc.Arbitrary<number>;
  o: fc.Arbitrary<number>;
  window: fc.Arbitrary<number[]>;
  stride: fc.Arbitrary<number>;
  padding: fc.Arbitrary<number>;
}

function problems(axes: Axes): fc.Arbitrary<Problem> {
  return fc
    .record({ n: fc.constantFrom(1, 2, 3, 5, 9), seed: anySeed, ...axes })
    .filter(({ h, w, window, padding }) => h + 2 * padding >= window[0] && w + 2 * padding >= window[1])
    .map(({ n, c, h, w, o, window, stride, padding, seed }) => {
      const x = [n, c, h, w];
      const weight = [o, c, ...window];
      return { x, weight, out: conv2dShape(x, weight, undefined, { stride, padding }), stride, padding, seed };
    });
}

/** Shapes, strides and paddings around the edges of windows and tiles. */
const anyProblem = problems({
  c: fc.constantFrom(1, 2, 3, 5),
  h: fc.integer({ min: 1, max: 14 }),
  w: fc.constantFrom(1, 2, 5, 7, 8, 9, 12, 13, 16, 17),
  o: fc.constantFrom(1, 2, 3, 6, 7, 8, 9, 16, 17, 64, 65),
  window: fc.constantFrom([1, 1], [3, 3], [3, 3], [5, 5], [5, 5], [2, 4], [3, 1]),
  stride: fc.constantFrom(1, 1, 1, 2, 3),
  padding: fc.constantFrom(0, 0, 1, 2, 3),
});

/** The same for a variant whose tiles, window widths and strides are compiled in, which takes seconds: two of each. */
const fewPipelines = fc.oneof(
  problems({
    c: fc.constantFrom(5, 10),
    h: fc.integer({ min: 1, max: 14 }),
    w: fc.constantFrom(17, 18),
    o: fc.constantFrom(11, 12, 17, 18),
    window: fc.constant([3, 5]),
    stride: fc.constant(1),
    padding: fc.constant(2),
  }),
  problems({
    c: fc.constant(3),
    h: fc.integer({ min: 1, max: 14 }),
    w: fc.constantFrom(11, 12),
    o: fc.constantFrom(5, 10),
    window: fc.constant([2, 3]),
    stride: fc.constant(2),
    padding: fc.constant(1),
  }),
);

/** The same for a variant with weights in workgroup memory, whose number is compiled in by powers of 2. */
const fewChannels = problems({
  c: fc.constantFrom(1, 2, 3),
  h: fc.integer({ min: 1, max: 14 }),
  w: fc.constantFrom(1, 2, 5, 7, 8, 9, 12, 13, 16, 17),
  o: fc.constantFrom(1, 5, 6, 8, 9, 16),
  window: fc.constantFrom([1, 1], [3, 3], [5, 5], [2, 4], [3, 1]),
  stride: fc.constantFrom(1, 1, 1, 2, 3),
  padding: fc.constantFrom(0, 0, 1, 2, 3),
});

function problemFor(variant: Conv2dVariant): fc.Arbitrary<Problem> {
  if (variant === "few-channels") return fewChannels;
  return variant === "subgroup" ? fewPipelines : anyProblem;
}

const often = { numRuns: 30 };
const sometimes = { numRuns: 15 };

describe.each(moreVariants)("conv2d, variant %s", (variant) => {
  it("agrees with the reference at every edge", async () => {
    if (!runs(variant)) return expectRefusal(variant);
    const property = fc.asyncProperty(
      problemFor(variant),
      fc.boolean(),
      fc.boolean(),
      async ({ x, weight, stride, padding, seed }, hasBias, relu) => {
        const inputs = {
          x: randomInput(x, seed),
          weight: randomInput(weight, seed + 1),
          bias: randomInput([weight[0]], seed + 2),
        };
        await expectSame(
          devices,
          inputs,
          (recorder, tensors) => ({
            out: conv2d(recorder, tensors.x, tensors.weight, hasBias ? tensors.bias : undefined, {
              stride,
              padding,
              relu,
              variant,
            }),
          }),
          f32Tolerance(weight[1] * weight[2] * weight[3]),
        );
      },
    );
    await fc.assert(property, often);
  });

  it("carries NaN and infinities to the windows that see them, and no others", async () => {
    if (!runs(variant)) return expectRefusal(variant);
    const property = fc.asyncProperty(problemFor(variant), fc.boolean(), async (problem, relu) => {
      const { x, weight, stride, padding, seed } = problem;
      const inputs = { x: oddInput(x, seed), weight: randomInput(weight, seed + 1) };
      await expectSame(
        devices,
        inputs,
        (recorder, tensors) => ({
          out: conv2d(recorder, tensors.x, tensors.weight, undefined, { stride, padding, relu, variant }),
        }),
        f32Tolerance(weight[1] * weight[2] * weight[3]),
      );
    });
    await fc.assert(property, sometimes);
  });
});

describe.each(moreVariants)("conv2d's input gradient, variant %s", (variant) => {
  it("agrees with the reference at every edge", async () => {
    if (!runs(variant)) return expectRefusal(variant);
    const property = fc.asyncProperty(problemFor(variant), async ({ x, weight, out, stride, padding, seed }) => {
      const inputs = { dOut: randomInput(out, seed), weight: randomInput(weight, seed + 1) };
      await expectSame(
        devices,
        inputs,
        (recorder, tensors) => ({
          dX: conv2dInputGradient(recorder, tensors.dOut, tensors.weight, x, { stride, padding, variant }),
        }),
        f32Tolerance(weight[0] * weight[2] * weight[3]),
      );
    });
    await fc.assert(property, often);
  });

  it("carries NaN and infinities to the pixels of their windows, and no others", async () => {
    if (!runs(variant)) return expectRefusal(variant);
    const property = fc.asyncProperty(problemFor(variant), async ({ x, weight, out, stride, padding, seed }) => {
      const inputs = { dOut: oddInput(out, seed), weight: randomInput(weight, seed + 1) };
      await expectSame(
        devices,
        inputs,
        (recorder, tensors) => ({
          dX: conv2dInputGradient(recorder, tensors.dOut, tensors.weight, x, { stride, padding, variant }),
        }),
        f32Tolerance(weight[0] * weight[2] * weight[3]),
      );
    });
    await fc.assert(property, sometimes);
  });
});

describe.each(variants)("conv2d's weight gradient, variant %s", (variant) => {
  it("agrees with the reference at every edge", async () => {
    if (!runs(variant)) return expectRefusal(variant);
    const property = fc.asyncProperty(problemFor(variant), async ({ x, weight, out, stride, padding, seed }) => {
      const inputs = { x: randomInput(x, seed), dOut: randomInput(out, seed + 1) };
      await expectSame(
        devices,
        inputs,
        (recorder, tensors) => ({
          dWeight: conv2dWeightGradient(recorder, tensors.x, tensors.dOut, weight, { stride, padding, variant }),
        }),
        f32Tolerance(out[0] * out[2] * out[3]),
      );
    });
    await fc.assert(property, often);
  });

  it.each(["the image", "the result's gradient"])(
    "carries NaN and infinities of %s to the taps that meet them, and no others",
    async (where) => {
      if (!runs(variant)) return expectRefusal(variant);
      const property = fc.asyncProperty(problemFor(variant), async ({ x, weight, out, stride, padding, seed }) => {
        // Whether a gradient that is not finite times the padding counts is left to the variant.
        const inside = (place: number, window: number, length: number) =>
          place * stride >= padding && place * stride - padding + window <= length;
        const seesNoPadding = (index: number) =>
          inside(Math.floor(index / out[3]) % out[2], weight[2], x[2]) && inside(index % out[3], weight[3], x[3]);
        const inputs =
          where === "the image"
            ? { x: oddInput(x, seed), dOut: randomInput(out, seed + 1) }
            : { x: randomInput(x, seed), dOut: oddInput(out, seed + 1, seesNoPadding) };
        await expectSame(
          devices,
          inputs,
          (recorder, tensors) => ({
            dWeight: conv2dWeightGradient(recorder, tensors.x, tensors.dOut, weight, { stride, padding, variant }),
          }),
          f32Tolerance(out[0] * out[2] * out[3]),
        );
      });
      await fc.assert(property, sometimes);
    },
  );

  it("is the same to the bit each time", async () => {
    if (!runs(variant)) return expectRefusal(variant);
    const inputs = { x: randomInput([37, 2, 9, 9], 1), dOut: randomInput([37, 3, 7, 7], 2) };
    const run = () =>
      runKernel(devices.gpu, inputs, (recorder, { x, dOut }) => ({
        dWeight: conv2dWeightGradient(recorder, x, dOut, [3, 2, 3, 3], { variant }),
      }));
    expect(await run()).toEqual(await run());
  });
});

describe.each(tiledVariants)("conv2d, variant %s", (variant) => {
  const problem = (x: number[], weight: number[], options: { stride?: number; padding?: number; relu?: boolean }) => ({
    inputs: {
      x: randomInput(x, 1),
      weight: randomInput(weight, 2),
      bias: randomInput([weight[0]], 3),
      dOut: randomInput(conv2dShape(x, weight, undefined, options), 4),
    },
    options: { ...options, variant },
    tolerance: f32Tolerance(Math.max(weight[1], weight[0]) * weight[2] * weight[3]),
  });

  it.each([
    { name: "one pixel", ...problem([3, 5, 4, 7], [33, 5, 1, 1], { relu: true }) },
    { name: "one pixel, in parts", ...problem([2, 513, 3, 5], [700, 513, 1, 1], { relu: true }) },
    { name: "one pixel in steps of 2", ...problem([2, 33, 5, 6], [3, 33, 1, 1], { stride: 2 }) },
    { name: "one pixel, padded", ...problem([1, 9, 5, 6], [3, 9, 1, 1], { padding: 1 }) },
    { name: "many taps, in parts", ...problem([2, 65, 5, 6], [97, 65, 3, 3], { stride: 2, padding: 1, relu: true }) },
  ])("agrees with the reference on windows of $name", async ({ inputs, options, tolerance }) => {
    await expectSame(
      devices,
      inputs,
      (recorder, { x, weight, bias, dOut }) => ({
        out: conv2d(recorder, x, weight, bias, options),
        dX: conv2dInputGradient(recorder, dOut, weight, x.shape, options),
      }),
      tolerance,
    );
  });
});

describe("conv2d's reference", () => {
  it("gives known values", async () => {
    const x: Input<"f32"> = { shape: [1, 1, 3, 3], dtype: "f32", data: [1, 2, 3, 4, 5, 6, 7, 8, 9] };
    const weight: Input<"f32"> = { shape: [1, 1, 2, 2], dtype: "f32", data: [1, 10, 100, 1000] };
    const bias: Input<"f32"> = { shape: [1], dtype: "f32", data: [-5000] };
    const { plain, padded, relu } = await runKernel(devices.cpu, { x, weight, bias }, (recorder, tensors) => ({
      plain: conv2d(recorder, tensors.x, tensors.weight),
      padded: conv2d(recorder, tensors.x, tensors.weight, undefined, { padding: 1, stride: 2 }),
      relu: conv2d(recorder, tensors.x, tensors.weight, tensors.bias, { relu: true }),
    }));
    expect([...plain]).toEqual([5421, 6532, 8754, 9865]);
    expect([...padded]).toEqual([1000, 3200, 7040, 9865]);
    expect([...relu]).toEqual([421, 1532, 3754, 4865]);
  });

  it("has gradients that central differences confirm", { timeout: 60_000 }, async () => {
    // Σ out · dOut is linear in x and in the weights, so a step of 0.5 has no error but that of rounding to f32.
    const step = 0.5;
    const property = fc.asyncProperty(anyProblem, async ({ x, weight, out, stride, padding, seed }) => {
      const inputs = {
        x: randomInput(x, seed),
        weight: randomInput(weight, seed + 1),
        dOut: randomInput(out, seed + 2),
      };
      const options = { stride, padding };
      const gradients = await runKernel(devices.cpu, inputs, (recorder, tensors) => ({
        x: conv2dInputGradient(recorder, tensors.dOut, tensors.weight, x, options),
        weight: conv2dWeightGradient(recorder, tensors.x, tensors.dOut, weight, options),
      }));
      const lossAt = async (name: "x" | "weight", index: number, change: number) => {
        const data = Float32Array.from(inputs[name].data);
        data[index] += change;
        const changed = { ...inputs, [name]: { ...inputs[name], data } };
        const result = await runKernel(devices.cpu, changed, (recorder, tensors) => ({
          out: conv2d(recorder, tensors.x, tensors.weight, undefined, options),
        }));
        return Array.from(result.out).reduce((sum, value, at) => sum + value * inputs.dOut.data[at], 0);
      };
      for (const name of ["x", "weight"] as const) {
        for (const index of [0, seed % gradients[name].length, gradients[name].length - 1]) {
          const difference = (await lossAt(name, index, step)) - (await lossAt(name, index, -step));
          expectClose([gradients[name][index]], [difference / (2 * step)], LINEAR_BY_DIFFERENCES, name);
        }
      }
    });
    await fc.assert(property, { numRuns: 25 });
  });
});

describe("conv2d's contract", () => {
  it("returns the result's shape", () => {
    expect(conv2dShape([64, 6, 12, 12], [16, 6, 5, 5], [16], { padding: 2 })).toEqual([64, 16, 12, 12]);
    expect(conv2dShape([2, 3, 32, 33], [8, 3, 3, 3], undefined, { stride: 2, padding: 1 })).toEqual([2, 8, 16, 17]);
  });

  it("says what does not fit", () => {
    const shapes =
      (x: number[], weight: number[], bias?: number[], options = {}) =>
      () =>
        conv2dShape(x, weight, bias, options);
    expect(shapes([3, 28, 28], [6, 3, 5, 5])).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: conv2d: x is [3, 28, 28]; expected 4 axes (N C H W)]`,
    );
    expect(shapes([1, 3, 28, 28], [6, 1, 5, 5])).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: conv2d: channels differ: x is [1, 3, 28, 28] with C = 3, weight is [6, 1, 5, 5] with C = 1]`,
    );
    expect(shapes([1, 1, 28, 28], [6, 1, 5, 5], [5])).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: conv2d: bias is [5]; expected [6], one for each output channel]`,
    );
    expect(shapes([1, 1, 2, 28], [6, 1, 5, 5], [6], { padding: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: conv2d: the 5 × 5 window does not fit x [1, 1, 2, 28] with padding 1 (4 × 30 pixels); use a smaller window or more padding]`,
    );
    expect(shapes([1, 1, 9, 9], [6, 1, 5, 5], [6], { stride: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: conv2d: stride is 0; expected a whole number from 1 up]`,
    );
    expect(shapes([1, 1, 9, 9], [6, 1, 5, 5], [6], { padding: 0.5 })).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: conv2d: padding is 0.5; expected a whole number from 0 up]`,
    );
  });

  it("refuses a gradient of another shape than the result's", async () => {
    const inputs = {
      x: randomInput([1, 1, 5, 5], 1),
      dOut: randomInput([1, 1, 4, 4], 2),
      weight: randomInput([1, 1, 3, 3], 3),
    };
    await expect(
      runKernel(devices.cpu, inputs, (recorder, { dOut, weight }) => ({
        dX: conv2dInputGradient(recorder, dOut, weight, [1, 1, 5, 5]),
      })),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: conv2dInputGradient: dOut is [1, 1, 4, 4]; expected [1, 1, 3, 3]]`,
    );
    await expect(
      runKernel(devices.cpu, inputs, (recorder, { x, dOut }) => ({
        dWeight: conv2dWeightGradient(recorder, x, dOut, [1, 1, 3, 3]),
      })),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: conv2dWeightGradient: dOut is [1, 1, 4, 4]; expected [1, 1, 3, 3]]`,
    );
  });

  it("refuses what the device or the kernel has not", () => {
    const capabilities = { ...devices.gpu.capabilities, workgroupMemory: 8000 };
    const sizes = conv2dSizes([1, 64, 9, 9], [64, 64, 3, 3], undefined, {});
    const problem = forwardCorrelation(sizes, { hasBias: false, relu: false });
    expect(() => planCorrelation("tiled-64x64", problem, capabilities)).toThrowErrorMatchingInlineSnapshot(
      `[DeviceError: conv2d: variant "tiled-64x64" needs workgroups of 256 invocations and 8576 bytes; this device's have at most 1024 and 8000: use "direct"]`,
    );
    expect(() => planCorrelation("few-channels", problem, capabilities)).toThrowErrorMatchingInlineSnapshot(
      `[DeviceError: conv2d: variant "few-channels" needs workgroups of 64 invocations and 32768 bytes; this device's have at most 1024 and 8000: use "direct" or "tiled-32x32"]`,
    );
    expect(() => planWeightGradient("tiled-64x64", sizes, capabilities)).toThrowErrorMatchingInlineSnapshot(
      `[DeviceError: conv2dWeightGradient: variant "tiled-64x64" needs workgroups of 256 invocations and 8576 bytes; this device's have at most 1024 and 8000: use "direct"]`,
    );
    expect(() => planWeightGradient("few-channels", sizes, capabilities)).toThrowErrorMatchingInlineSnapshot(
      `[DeviceError: conv2dWeightGradient: variant "few-channels" makes only results and gradients of inputs: use "direct" or "tiled-32x32"]`,
    );
  });
});
