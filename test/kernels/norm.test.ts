import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batchNormBackward, batchNormChunks, batchNormEvaluate, batchNormTrain } from "../../src/kernels/norm/index.js";
import { CpuDevice, createTensor, Philox, Recorder, type Shape } from "../../src/tensor/index.js";
import { EXACT, expectClose, f32Tolerance, INVERSE_DEVIATION, NORMALISED, NORM_BY_DIFFERENCES } from "../close.js";
import { useDevices } from "../devices.js";
import { anySeed, edgeSize, expectSame, randomInput, runKernel, type Input } from "./harness.js";
import { numericalGradient } from "./numerical-gradient.js";

const devices = useDevices();

const elements = (shape: Shape) => shape.reduce((product, length) => product * length, 1);

/** [N, C] and [N, C, H, W] with 2 elements a channel and more, in one chunk and in many. */
const trainingShape: fc.Arbitrary<Shape> = fc
  .oneof(
    fc.tuple(edgeSize(256), edgeSize(16)),
    fc.tuple(edgeSize(4), edgeSize(65, 66), fc.constantFrom(1, 2, 7, 16), fc.constantFrom(1, 5, 16)),
    fc.constantFrom<Shape[]>([2, 3, 127, 130], [66_000, 2], [3, 2, 211, 113]),
  )
  .filter((shape) => elements(shape) / shape[1] >= 2);

/** Of sums over a channel. */
const sums = (shape: Shape) => f32Tolerance(elements(shape) / shape[1]);

function constant(length: number, value: number): Input<"f32"> {
  return { shape: [length], dtype: "f32", data: new Float32Array(length).fill(value) };
}

/** Values in [0.5, 2.5), so that means are no smaller than what a tolerance allows. */
function around(shape: Shape, seed: number): Input<"f32"> {
  const input = randomInput(shape, seed);
  return { ...input, data: Float32Array.from(input.data, (value) => 1.5 + value) };
}

function batchInputs(shape: Shape, seed: number) {
  const channels = [shape[1]];
  const variance = randomInput(channels, seed + 4);
  return {
    x: around(shape, seed),
    dOut: around(shape, seed + 1),
    gamma: randomInput(channels, seed + 2),
    beta: randomInput(channels, seed + 3),
    runningMean: randomInput(channels, seed + 5),
    runningVariance: { ...variance, data: Float32Array.from(variance.data, (value) => 1.1 + value) },
  };
}

describe("batch norm in training", () => {
  it("agrees with the reference, forward and backward", async () => {
    await fc.assert(
      fc.asyncProperty(trainingShape, anySeed, async (shape, seed) => {
        await expectSame(
          devices,
          batchInputs(shape, seed),
          (recorder, { x, dOut, gamma, ...rest }) => {
            const state = { gamma, ...rest };
            const { out, mean, inverseDeviation } = batchNormTrain(recorder, x, state, { momentum: 0.3 });
            // Gradients of a deviation that is about 1: they grow with its inverse otherwise.
            const { runningMean, runningVariance } = rest;
            const statistics = { mean: runningMean, inverseDeviation: runningVariance };
            const gradients = batchNormBackward(recorder, x, dOut, gamma, statistics);
            return { out, mean, inverseDeviation, runningMean, runningVariance, ...gradients };
          },
          {
            out: NORMALISED,
            mean: f32Tolerance(),
            inverseDeviation: INVERSE_DEVIATION,
            runningMean: f32Tolerance(),
            runningVariance: f32Tolerance(),
            // A difference of terms of up to some hundred, each rounded.
            dX: f32Tolerance(300),
            gammaGradient: sums(shape),
            betaGradient: sums(shape),
          },
        );
      }),
      { numRuns: 60 },
    );
  });

  it("normalises each channel, and moves the running statistics by the unbiased variance", async () => {
    const inputs = {
      x: { shape: [2, 2, 1, 2], dtype: "f32", data: [1, 3, 10, 20, 5, 7, 30, 40] },
      gamma: constant(2, 2),
      beta: constant(2, 1),
      runningMean: constant(2, 8),
      runningVariance: constant(2, 1),
    } satisfies Record<string, Input>;
    for (const device of [devices.cpu, devices.gpu]) {
      const { out, mean, runningMean, runningVariance } = await runKernel(
        device,
        inputs,
        (recorder, { x, ...state }) => {
          const { out, mean } = batchNormTrain(recorder, x, state, { momentum: 0.5, epsilon: 0 });
          return { out, mean, runningMean: state.runningMean, runningVariance: state.runningVariance };
        },
      );
      // Means 4 and 25; variances 5 and 125, unbiased 20/3 and 500/3.
      const expected = [-3, -1, -15, -5, 1, 3, 5, 15].map(
        (distance, index) => (2 * distance) / Math.sqrt(Math.floor(index / 2) % 2 ? 125 : 5) + 1,
      );
      expectClose(out, expected, f32Tolerance());
      expectClose(mean, [4, 25], f32Tolerance());
      expectClose(runningMean, [6, 16.5], f32Tolerance());
      expectClose(runningVariance, [0.5 + 10 / 3, 0.5 + 250 / 3], f32Tolerance());
    }
  });

  it("gives accurate statistics of a million elements whose mean is a thousand deviations", async () => {
    const size = 1_000_003;
    const random = new Philox(9);
    const data = Float32Array.from({ length: size }, () => 1000 + 2 * random.float() - 1);
    const mean = data.reduce((total, value) => total + value, 0) / size;
    const variance = data.reduce((total, value) => total + (value - mean) ** 2, 0) / size;
    const inputs = {
      x: { shape: [1, 1, 1, size], dtype: "f32", data } satisfies Input<"f32">,
      gamma: constant(1, 1),
      beta: constant(1, 0),
      runningMean: constant(1, 0),
      runningVariance: constant(1, 0),
    };
    const measured = await runKernel(devices.gpu, inputs, (recorder, { x, ...state }) => {
      const { mean, inverseDeviation } = batchNormTrain(recorder, x, state, { momentum: 1, epsilon: 0 });
      return { mean, inverseDeviation, variance: state.runningVariance };
    });
    // The nearest f32 to the mean may be 3e-5 away.
    expect(Math.abs(measured.mean[0] - mean)).toBeLessThan(1e-4);
    expect(Math.abs(measured.variance[0] / variance - 1)).toBeLessThan(1e-5);
    expect(Math.abs(measured.inverseDeviation[0] * Math.sqrt(variance) - 1)).toBeLessThan(1e-5);
  });

  it("gives 0 and not NaN for a channel of equal elements", async () => {
    const inputs = { ...batchInputs([300, 3], 1), x: { ...constant(900, 0.1), shape: [300, 3] }, beta: constant(3, 0) };
    const { out, inverseDeviation } = await runKernel(devices.gpu, inputs, (recorder, { x, ...state }) =>
      batchNormTrain(recorder, x, state),
    );
    expectClose(out, new Float32Array(900), NORMALISED);
    expectClose(inverseDeviation, new Array(3).fill(1 / Math.sqrt(1e-5)), f32Tolerance());
  });

  it("keeps NaN and infinities to their channel, like the reference", async () => {
    const shape = [600, 5];
    const inputs = batchInputs(shape, 3);
    const data = Float32Array.from(inputs.x.data);
    data[5 * 0 + 0] = NaN;
    data[5 * 0 + 1] = Infinity;
    data[5 * 401 + 2] = -Infinity;
    data[5 * 400 + 3] = Infinity;
    data[5 * 599 + 3] = -Infinity;
    await expectSame(
      devices,
      { ...inputs, x: { ...inputs.x, data } },
      (recorder, { x, dOut, gamma, ...rest }) => {
        const { out, ...statistics } = batchNormTrain(recorder, x, { gamma, ...rest });
        const { runningMean, runningVariance } = rest;
        return {
          out,
          runningMean,
          runningVariance,
          ...statistics,
          ...batchNormBackward(recorder, x, dOut, gamma, statistics),
        };
      },
      sums(shape),
    );
  });

  it("gives the same bits each time", async () => {
    const run = () =>
      runKernel(devices.gpu, batchInputs([5, 3, 47, 53], 8), (recorder, { x, dOut, gamma, ...rest }) => {
        const { out, ...statistics } = batchNormTrain(recorder, x, { gamma, ...rest });
        return { out, ...statistics, ...batchNormBackward(recorder, x, dOut, gamma, statistics) };
      });
    const first = await run();
    const second = await run();
    for (const name of Object.keys(first) as (keyof typeof first)[]) expectClose(second[name], first[name], EXACT);
  });

  it.each<{ shape: Shape }>([{ shape: [6, 3] }, { shape: [2, 2, 3, 2] }])(
    "has the gradients that finite differences show, for $shape",
    async ({ shape }) => {
      const inputs = batchInputs(shape, 11);
      const forward = (name: "x" | "gamma" | "beta") =>
        numericalGradient(
          devices.cpu,
          inputs,
          name,
          inputs.dOut.data,
          (recorder, { x, ...state }) => batchNormTrain(recorder, x, state).out,
        );
      const gradients = await runKernel(devices.gpu, inputs, (recorder, { x, dOut, gamma, ...rest }) => {
        const { mean, inverseDeviation } = batchNormTrain(recorder, x, { gamma, ...rest });
        return { ...batchNormBackward(recorder, x, dOut, gamma, { mean, inverseDeviation }) };
      });
      expectClose(gradients.dX, await forward("x"), NORM_BY_DIFFERENCES, "dX");
      expectClose(gradients.gammaGradient, await forward("gamma"), NORM_BY_DIFFERENCES, "gammaGradient");
      expectClose(gradients.betaGradient, await forward("beta"), NORM_BY_DIFFERENCES, "betaGradient");
    },
  );

  it("writes the parameters' gradients where it is told to", async () => {
    for (const shape of [
      [4, 3],
      [700, 3],
    ]) {
      const inputs = { ...batchInputs(shape, 2), byGamma: constant(3, 7), byBeta: constant(3, 7) };
      await expectSame(
        devices,
        inputs,
        (recorder, { x, dOut, gamma, runningMean, runningVariance, byGamma, byBeta }) => {
          const statistics = { mean: runningMean, inverseDeviation: runningVariance };
          batchNormBackward(recorder, x, dOut, gamma, statistics, { gammaGradient: byGamma, betaGradient: byBeta });
          return { byGamma, byBeta };
        },
        sums(shape),
      );
    }
  });
});

describe("batch norm in evaluation", () => {
  it("agrees with the reference, with relu and without", async () => {
    const shape = fc.oneof(
      fc.tuple(edgeSize(64), edgeSize(16)),
      fc.tuple(edgeSize(4), edgeSize(8), edgeSize(8), edgeSize(8)),
    );
    await fc.assert(
      fc.asyncProperty(shape, anySeed, fc.boolean(), async (shape, seed, relu) => {
        await expectSame(
          devices,
          batchInputs(shape, seed),
          (recorder, { x, ...state }) => ({ out: batchNormEvaluate(recorder, x, state, { relu, epsilon: 1e-3 }) }),
          f32Tolerance(10),
        );
      }),
      { numRuns: 40 },
    );
  });

  it("uses the running statistics, leaves them alone, and carries NaN and infinities", async () => {
    const inputs = {
      x: { shape: [1, 2, 1, 3], dtype: "f32", data: [5, NaN, -Infinity, 1, Infinity, -9] },
      gamma: constant(2, 3),
      beta: constant(2, 1),
      runningMean: constant(2, 1),
      runningVariance: constant(2, 4),
    } satisfies Record<string, Input>;
    for (const device of [devices.cpu, devices.gpu]) {
      const { out, rectified, runningMean, runningVariance } = await runKernel(
        device,
        inputs,
        (recorder, { x, ...state }) => ({
          out: batchNormEvaluate(recorder, x, state, { epsilon: 0 }),
          rectified: batchNormEvaluate(recorder, x, state, { epsilon: 0, relu: true }),
          runningMean: state.runningMean,
          runningVariance: state.runningVariance,
        }),
      );
      expectClose(out, [7, NaN, -Infinity, 1, Infinity, -14], f32Tolerance());
      expectClose(rectified, [7, NaN, 0, 1, Infinity, 0], f32Tolerance());
      expectClose(runningMean, [1, 1], EXACT);
      expectClose(runningVariance, [4, 4], EXACT);
    }
  });
});

describe("batch norm's contract", () => {
  it("says what does not fit", () => {
    const recorder = new Recorder(new CpuDevice());
    const tensor = (shape: Shape) => createTensor(recorder.device, shape);
    const three = tensor([3]);
    const state = { gamma: three, beta: three, runningMean: three, runningVariance: three };
    const statistics = { mean: three, inverseDeviation: three };
    expect(() => batchNormTrain(recorder, tensor([1, 3]), state)).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: batchNormTrain: x is [1, 3] with one element a channel; expected at least 2: use a larger batch]`,
    );
    expect(() => batchNormTrain(recorder, tensor([4, 2]), state)).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: batchNormTrain: gamma is [3]; expected [2]]`,
    );
    expect(() => batchNormEvaluate(recorder, three, state)).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: batchNormEvaluate: x is [3]; expected at least 2 axes (N C …)]`,
    );
    expect(() =>
      batchNormBackward(recorder, tensor([4, 3]), tensor([3, 4]), three, statistics),
    ).toThrowErrorMatchingInlineSnapshot(`[ShapeError: batchNormBackward: dOut is [3, 4]; expected [4, 3]]`);
  });

  it("refuses a momentum that is no share, and a negative epsilon", () => {
    const recorder = new Recorder(new CpuDevice());
    const one = createTensor(recorder.device, [1]);
    const x = createTensor(recorder.device, [4, 1]);
    const state = { gamma: one, beta: one, runningMean: one, runningVariance: one };
    for (const momentum of [-0.1, 1.1, NaN]) {
      expect(() => batchNormTrain(recorder, x, state, { momentum })).toThrow(
        `batchNormTrain: momentum is ${momentum}; expected a number from 0 to 1`,
      );
    }
    for (const epsilon of [-1e-5, NaN]) {
      const message = `epsilon is ${epsilon}; expected a number from 0 up`;
      expect(() => batchNormTrain(recorder, x, state, { epsilon })).toThrow(`batchNormTrain: ${message}`);
      expect(() => batchNormEvaluate(recorder, x, state, { epsilon })).toThrow(`batchNormEvaluate: ${message}`);
    }
  });

  it("splits long channels on a WebGPU device", () => {
    expect([1, 256, 257, 50_176, 10_000_000].map((count) => batchNormChunks(devices.gpu, count))).toEqual([
      1, 1, 2, 196, 256,
    ]);
  });
});
