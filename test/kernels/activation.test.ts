import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { add, dropout, dropoutBackward, planRelu, relu, reluBackward } from "../../src/kernels/activation/index.js";
import { CpuDevice, createTensor, Recorder, type GpuPlan, type Tensor } from "../../src/tensor/index.js";
import { EXACT, expectClose, LINEAR_BY_DIFFERENCES, SUBNORMAL } from "../close.js";
import { useDevices } from "../devices.js";
import { anySeed, edgeSize, expectSame, randomInput, runKernel, type Input } from "./harness.js";
import { numericalGradient } from "./numerical-gradient.js";

const devices = useDevices();
const size = fc.oneof(edgeSize(64), edgeSize(512), edgeSize(2048), fc.constant(70_001));
const odd: Input<"f32"> = { shape: [6], dtype: "f32", data: [NaN, Infinity, -Infinity, 0, -0, 3e-39] };

/** A step's number in device memory. */
const stepInput = (step: number): Input<"u32"> => ({ shape: [1], dtype: "u32", data: [step] });

describe("relu and add", () => {
  it("agree with the reference to the bit at every workgroup edge", async () => {
    await fc.assert(
      fc.asyncProperty(size, anySeed, fc.boolean(), async (length, seed, fused) => {
        await expectSame(
          devices,
          { a: randomInput([length], seed), b: randomInput([length], seed + 1) },
          (recorder, { a, b }) => {
            const rectified = relu(recorder, a);
            return {
              rectified,
              gradient: reluBackward(recorder, rectified, b),
              sum: add(recorder, a, b, { relu: fused }),
            };
          },
          EXACT,
        );
      }),
      { numRuns: 40 },
    );
  });

  it("cover their elements on a grid of two axes, as long ranges have", async () => {
    const length = 3 * 5 * 512 - 7;
    const inputs = { a: randomInput([length], 1) };
    const { out } = await runKernel(devices.gpu, inputs, (recorder, { a }) => {
      const out = recorder.temporary(a.shape, "out");
      const plan = (): GpuPlan => ({ ...planRelu(length, devices.gpu.capabilities), grid: [3, 5, 1] });
      recorder.add({ kernel: "relu", reads: [a], writes: [out], reference: () => undefined, plan });
      return { out };
    });
    expectClose(
      out,
      Array.from(inputs.a.data, (value) => Math.max(value, 0)),
      EXACT,
    );
    for (const software of [false, true]) {
      for (const size of [1e8, 1e8 + 1]) {
        const { grid, params, program } = planRelu(size, { ...devices.gpu.capabilities, software });
        expect(params).toEqual([size % 4 === 0 ? size / 4 : size]);
        const elements = grid.reduce((product, length) => product * length, 64 * Number(program.constants?.RUN));
        expect(elements).toBeGreaterThanOrEqual(params[0] as number);
        expect(Math.max(...grid)).toBeLessThanOrEqual(65535);
      }
    }
  });

  it("carry NaN and infinities", async () => {
    for (const device of [devices.cpu, devices.gpu]) {
      const { rectified, gradient, sum, rectifiedSum } = await runKernel(
        device,
        { x: odd, ones: { shape: [6], dtype: "f32", data: [1, 2, 3, 4, 5, NaN] } satisfies Input<"f32"> },
        (recorder, { x, ones }) => {
          const rectified = relu(recorder, x);
          return {
            rectified,
            gradient: reluBackward(recorder, rectified, ones),
            sum: add(recorder, x, ones),
            rectifiedSum: add(recorder, x, ones, { relu: true }),
          };
        },
      );
      expectClose(Array.from(rectified).slice(0, 5), [NaN, Infinity, 0, 0, 0], EXACT);
      expectClose(Array.from(gradient).slice(0, 5), [0, 2, 0, 0, 0], EXACT);
      expectClose(sum, [NaN, Infinity, -Infinity, 4, 5, NaN], EXACT);
      expectClose(rectifiedSum, [NaN, Infinity, 0, 4, 5, NaN], EXACT);
    }
  });

  it("have the gradients that finite differences show", async () => {
    // At least 0.05 away from the kink, more than the step of 0.01.
    const data = Float32Array.from({ length: 11 }, (_, index) => (index - 5) / 5 + 0.07);
    const inputs = { x: { shape: [11], dtype: "f32", data } satisfies Input<"f32"> };
    const dOut = randomInput([11], 3);
    const expected = await numericalGradient(devices.cpu, inputs, "x", dOut.data, (recorder, { x }) =>
      relu(recorder, x),
    );
    const { gradient } = await runKernel(devices.gpu, { ...inputs, dOut }, (recorder, { x, dOut }) => ({
      gradient: reluBackward(recorder, relu(recorder, x), dOut),
    }));
    expectClose(gradient, expected, LINEAR_BY_DIFFERENCES);
  });
});

describe("dropout", () => {
  it("agrees with the reference to the bit, forward and backward", async () => {
    const problem = fc.record({
      length: size,
      rate: fc.constantFrom(0, 0.1, 0.5, 0.875),
      seed: anySeed,
      salt: anySeed,
      step: fc.nat(1000),
    });
    await fc.assert(
      fc.asyncProperty(problem, async ({ length, rate, seed, salt, step }) => {
        await expectSame(
          devices,
          { x: randomInput([length], seed), dOut: randomInput([length], seed + 1), counter: stepInput(step) },
          (recorder, { x, dOut, counter }) => {
            const options = { rate, seed, counter, salt };
            return { out: dropout(recorder, x, options), dX: dropoutBackward(recorder, dOut, options) };
          },
          EXACT,
        );
      }),
      { numRuns: 40 },
    );
  });

  it("drops the asked share, scales the rest, and drops the same elements backward", async () => {
    const length = 20_000;
    const ones: Input<"f32"> = { shape: [length], dtype: "f32", data: new Float32Array(length).fill(1) };
    const { out, dX } = await runKernel(devices.gpu, { ones, counter: stepInput(3) }, (recorder, tensors) => {
      const options = { rate: 0.2, seed: 7, counter: tensors.counter, salt: 1 };
      return {
        out: dropout(recorder, tensors.ones, options),
        dX: dropoutBackward(recorder, tensors.ones, options),
      };
    });
    const dropped = out.filter((value) => value === 0).length;
    // Five standard deviations, sqrt(20000 · 0.2 · 0.8) = 57 each.
    expect(Math.abs(dropped - 0.2 * length)).toBeLessThan(283);
    expect(new Set(out)).toEqual(new Set([0, 1.25]));
    expectClose(dX, out, EXACT);
  });

  it("drops others in another step, with another salt and with another seed", async () => {
    const inputs = { ones: { shape: [64], dtype: "f32", data: new Float32Array(64).fill(1) } } as const;
    const masks = new Set<string>();
    for (const [step, salt, seed] of [
      [0, 0, 0],
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ]) {
      const { out } = await runKernel(
        devices.gpu,
        { ...inputs, counter: stepInput(step) },
        (recorder, { ones, counter }) => ({ out: dropout(recorder, ones, { rate: 0.5, seed, counter, salt }) }),
      );
      masks.add(out.join());
    }
    expect(masks.size).toBe(4);
  });

  it("drops NaN and infinities like any other element", async () => {
    const inputs = { x: odd, counter: stepInput(0) };
    await expectSame(
      devices,
      inputs,
      (recorder, { x, counter }) => ({ out: dropout(recorder, x, { rate: 0.5, seed: 1, counter, salt: 0 }) }),
      SUBNORMAL,
    );
  });
});

describe("the activations' contracts", () => {
  const cpu = new CpuDevice();
  const recorder = new Recorder(cpu);
  const a = createTensor(cpu, [2, 3], { name: "a" });
  const b = createTensor(cpu, [3, 2], { name: "b" });
  const counter = createTensor(cpu, [1], { name: "counter", dtype: "u32" });

  it("say which shapes differ", () => {
    expect(() => add(recorder, a, b)).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: add: b is [3, 2]; expected [2, 3]]`,
    );
    expect(() => reluBackward(recorder, a, b)).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: reluBackward: dOut is [3, 2]; expected [2, 3]]`,
    );
    expect(() => relu(recorder, a, { out: b })).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: relu: out is [3, 2]; expected [2, 3]]`,
    );
  });

  it("refuse a rate that is not one", () => {
    for (const rate of [1, -0.1, NaN]) {
      expect(() => dropout(recorder, a, { rate, seed: 0, counter, salt: 0 })).toThrowError(
        `dropout: rate is ${rate}; expected 0 or more and less than 1`,
      );
    }
  });

  it("refuse a seed or a salt that is not of 32 bits, and what is no counter", () => {
    const options = { rate: 0.5, seed: 0, counter, salt: 0 };
    expect(() => dropout(recorder, a, { ...options, seed: -1 })).toThrow("dropout: seed is -1; expected a whole");
    expect(() => dropoutBackward(recorder, a, { ...options, salt: 2 ** 32 })).toThrow("salt is 4294967296; expected");
    expect(() => dropout(recorder, a, { ...options, counter: b as Tensor as Tensor<"u32"> })).toThrow(
      "dropout: counter is [3, 2]; expected [1]",
    );
  });
});
