import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gatherRows, rangeIndices } from "../../src/kernels/gather/index.js";
import {
  adam,
  averageParameters,
  sgd,
  type AdamOptions,
  type Schedule,
  type SgdOptions,
} from "../../src/kernels/optimizer/index.js";
import { advance } from "../../src/kernels/step/index.js";
import {
  createTensor,
  readTensor,
  record,
  Recorder,
  reshape,
  type Device,
  type Tensor,
} from "../../src/tensor/index.js";
import { ADAM_STEP, EXACT, expectClose, f32Tolerance } from "../close.js";
import { useDevices } from "../devices.js";
import { anySeed, edgeSize, randomInput } from "./harness.js";

const devices = useDevices();
const names = ["cpu", "gpu"] as const;

type Numbers<Options> = Omit<Options, keyof Schedule | "start">;
type State = Record<string, ArrayLike<number>>;

interface Problem {
  /** Starting values of the parameters and the optimizer's other state, P each. */
  start: State;
  /** One row of P gradients a step. */
  gradients: number[][];
  rates: number[];
  /** Steps done before the first. */
  first?: number;
  /** Of these, those before Adam began. */
  since?: number;
}

/** Runs a recording of one optimizer step once for each row of gradients and reads the state that it leaves. */
async function train(
  device: Device,
  { start, gradients, rates, first = 0, since = 0 }: Problem,
  step: (rec: Recorder, state: Record<string, Tensor<"f32">>, schedule: Schedule & { start: Tensor<"u32"> }) => void,
): Promise<State> {
  const count = gradients[0].length;
  const tensor = (shape: number[], data: ArrayLike<number>) => createTensor(device, shape, { data });
  const counter = createTensor(device, [1], { dtype: "u32", data: [first] });
  const row = createTensor(device, [1], { dtype: "u32" });
  const table = tensor([gradients.length, count], gradients.flat());
  const from = createTensor(device, [1], { dtype: "u32", data: [since] });
  const schedule = { rates: tensor([rates.length], rates), counter, start: from };
  const state = Object.fromEntries(Object.entries(start).map(([name, data]) => [name, tensor([count], data)]));
  const recording = await record(device, (rec) => {
    const own = gatherRows(rec, table, rangeIndices(rec, row, 1, gradients.length));
    step(rec, { ...state, gradients: reshape(own, [count]) }, schedule);
    advance(rec, counter);
    advance(rec, row);
  });
  recording.run(gradients.length);
  const result: State = {};
  for (const [name, values] of Object.entries(state)) result[name] = await readTensor(values);
  for (const owner of [recording, counter, from, row, table, schedule.rates, ...Object.values(state)]) owner.dispose();
  return result;
}

const trainSgd = (device: Device, problem: Problem, numbers: Numbers<SgdOptions>) =>
  train(device, problem, (rec, { parameters, gradients, velocity }, schedule) => {
    sgd(rec, { parameters, gradients, velocity }, { ...schedule, ...numbers });
  });

const trainAdam = (device: Device, problem: Problem, numbers: Numbers<AdamOptions>) =>
  train(device, problem, (rec, { parameters, gradients, mean, variance }, { start, ...schedule }) => {
    adam(rec, { parameters, gradients, mean, variance }, { start, ...schedule, ...numbers });
  });

/** torch.optim.SGD's formulas in f64. */
function torchSgd({ start, gradients, rates }: Problem, numbers: Numbers<SgdOptions>): State {
  const { momentum = 0, weightDecay = 0, nesterov = false } = numbers;
  const [parameters, velocity] = [start.parameters, start.velocity].map((values) => Float64Array.from(values));
  for (const [step, row] of gradients.entries()) {
    const rate = rates[Math.min(step, rates.length - 1)];
    for (const [i, value] of row.entries()) {
      let gradient = value + weightDecay * parameters[i];
      if (momentum !== 0) {
        velocity[i] = momentum * velocity[i] + gradient;
        gradient = nesterov ? gradient + momentum * velocity[i] : velocity[i];
      } else velocity[i] = gradient;
      parameters[i] -= rate * gradient;
    }
  }
  return { parameters, velocity };
}

/** torch.optim.Adam's formulas in f64. */
function torchAdam({ start, gradients, rates, first = 0, since = 0 }: Problem, numbers: Numbers<AdamOptions>): State {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = numbers;
  const [parameters, mean, variance] = [start.parameters, start.mean, start.variance].map((values) =>
    Float64Array.from(values),
  );
  for (const [step, row] of gradients.entries()) {
    const t = first - since + step + 1;
    const rate = rates[Math.min(first + step, rates.length - 1)];
    for (const [i, value] of row.entries()) {
      const gradient = value + weightDecay * parameters[i];
      mean[i] = beta1 * mean[i] + (1 - beta1) * gradient;
      variance[i] = beta2 * variance[i] + (1 - beta2) * gradient * gradient;
      const denominator = Math.sqrt(variance[i]) / Math.sqrt(1 - beta2 ** t) + epsilon;
      parameters[i] -= ((rate / (1 - beta1 ** t)) * mean[i]) / denominator;
    }
  }
  return { parameters, mean, variance };
}

const f32 = (values: ArrayLike<number>) => Array.from(Float32Array.from(values));
const uniform = (count: number, seed: number) => f32(randomInput([count], seed).data);
const zeros = (count: number) => new Float32Array(count);

const steps = 12;
const problems = fc
  .record({
    count: edgeSize(64, 300).chain((size) => fc.constantFrom(size, 255, 256, 257)),
    seed: anySeed,
    rates: fc.constantFrom(1, 5, 20),
  })
  .map(({ count, seed, rates }) => ({
    count,
    parameters: uniform(count, seed),
    gradients: Array.from({ length: steps }, (_, step) => uniform(count, seed + step + 1)),
    rates: f32(Array.from({ length: rates }, (_, step) => 0.1 / (1 + step))),
  }));

function expectState(actual: State, expected: State, length: number): void {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
  for (const name of Object.keys(expected)) expectClose(actual[name], expected[name], f32Tolerance(length), name);
}

describe.each(names)("sgd, device %s", (name) => {
  it("follows PyTorch's formulas through many replays of one recording", async () => {
    const options = fc.constantFrom<Numbers<SgdOptions>>(
      {},
      { momentum: 0.9 },
      { weightDecay: 0.01 },
      { momentum: 0.9, weightDecay: 5e-4, nesterov: true },
      { momentum: 0.5, nesterov: true },
    );
    await fc.assert(
      fc.asyncProperty(problems, options, async ({ count, parameters, ...rest }, numbers) => {
        const problem = { ...rest, start: { parameters, velocity: zeros(count) } };
        expectState(await trainSgd(devices[name], problem, numbers), torchSgd(problem, numbers), steps);
      }),
      { numRuns: 25 },
    );
  });

  it("carries NaN and infinities to their own parameters only", async () => {
    const problem = {
      start: { parameters: [1, 1, 1, NaN], velocity: [0, 0, 0, 0] },
      gradients: [[NaN, Infinity, 0.5, 0]],
      rates: [0.5],
    };
    const result = await trainSgd(devices[name], problem, { momentum: 0.9, nesterov: true });
    expectClose(result.parameters, [NaN, -Infinity, 1 - 0.5 * 1.9 * 0.5, NaN], f32Tolerance());
    expectClose(result.velocity, [NaN, Infinity, 0.5, NaN], f32Tolerance());
  });
});

describe.each(names)("adam, device %s", (name) => {
  it("follows PyTorch's formulas through many replays of one recording", async () => {
    const options = fc.constantFrom<Numbers<AdamOptions>>(
      {},
      { beta1: 0.5, beta2: 0.9, epsilon: 1e-3 },
      { beta1: 0, beta2: 0.99 },
      { weightDecay: 0.05 },
      { beta2: 0.99999 },
    );
    const begun = fc.constantFrom([0, 0], [3, 3], [1000, 1000], [1000, 1002]);
    await fc.assert(
      fc.asyncProperty(problems, options, begun, async ({ count, parameters, ...rest }, numbers, [since, first]) => {
        const problem = { ...rest, since, first, start: { parameters, mean: zeros(count), variance: zeros(count) } };
        expectState(await trainAdam(devices[name], problem, numbers), torchAdam(problem, numbers), 10 * steps);
      }),
      { numRuns: 25 },
    );
  });

  it("moves each parameter by the rate at the first step, whatever the size of its gradient", async () => {
    const gradient = [1e-4, -1e-4, 1, -1, 1e4, 0];
    const problem = {
      start: { parameters: zeros(6), mean: zeros(6), variance: zeros(6) },
      gradients: [gradient],
      rates: [1],
    };
    const { parameters } = await trainAdam(devices[name], problem, {});
    expectClose(parameters, [-0.9999, 0.9999, -1, 1, -1, 0], ADAM_STEP);
  });

  it("corrects the bias accurately from step 1 to 100,000", async () => {
    const beta1 = 0.9;
    for (const beta2 of [0.9, 0.99, 0.999, 0.9999]) {
      for (const t of [1, 2, 3, 5, 10, 50, 100, 499, 500, 501, 700, 1000, 3000, 6000, 10_000, 30_000, 100_000]) {
        const start = { parameters: [0], mean: [0], variance: [0] };
        const problem = { start, gradients: [[1]], rates: [1], first: t - 1 };
        const { parameters } = await trainAdam(devices[name], problem, { beta1, beta2, epsilon: 0 });
        const expected = -((1 - beta1) / (1 - beta1 ** t)) / Math.sqrt((1 - beta2) / (1 - beta2 ** t));
        expectClose(parameters, [expected], ADAM_STEP, `beta2 ${beta2}, t ${t}`);
      }
    }
  });

  it("carries NaN and infinities to their own parameters only", async () => {
    const problem = {
      start: { parameters: [1, 1, 1, NaN], mean: zeros(4), variance: zeros(4) },
      gradients: [[NaN, Infinity, 0.5, 0]],
      rates: [0.5],
    };
    const result = await trainAdam(devices[name], problem, {});
    expectClose(result.parameters, [NaN, NaN, 0.5, NaN], f32Tolerance());
    expectClose(result.variance, [NaN, Infinity, 0.00025, NaN], f32Tolerance());
  });
});

describe.each(names)("averageParameters, device %s", (name) => {
  /** The mean that `rows`, the parameters after each step, leave behind where step `from` is the first that counts. */
  const averageOf = async (rows: number[][], from: number, first: number) => {
    const start = createTensor(devices[name], [1], { dtype: "u32", data: [from] });
    // NaN and others: what an earlier mean may have left.
    const before = rows[0].map((_, index) => [NaN, Infinity, 7][index % 3]);
    const problem = { start: { average: before }, gradients: rows, rates: [0], first };
    const result = await train(devices[name], problem, (rec, { gradients, average }, { counter }) => {
      averageParameters(rec, gradients, average, { start, counter });
    });
    start.dispose();
    return { before, average: result.average };
  };

  it("is the mean of the steps from the first that counts, whatever it held before", async () => {
    const firsts = fc.constantFrom(0, 1, 1000);
    await fc.assert(
      fc.asyncProperty(problems, fc.integer({ min: 0, max: steps }), firsts, async ({ gradients }, skipped, first) => {
        const { average, before } = await averageOf(gradients, first + skipped, first);
        const counted = gradients.slice(skipped);
        const mean = gradients[0].map((_, i) => counted.reduce((sum, row) => sum + row[i], 0) / counted.length);
        expectClose(average, counted.length === 0 ? before : mean, f32Tolerance(4 * steps));
      }),
      { numRuns: 25 },
    );
  });

  it("is the last parameters to the bit where they alone count", async () => {
    const rows = [uniform(37, 1), uniform(37, 2)];
    expectClose((await averageOf(rows, 1, 0)).average, rows[1], EXACT);
  });

  it("carries NaN and infinities to their own parameters only", async () => {
    const { average } = await averageOf(
      [
        [1, 1, 1, 1],
        [NaN, Infinity, 3, 1],
      ],
      0,
      0,
    );
    expectClose(average, [NaN, Infinity, 2, 1], f32Tolerance());
  });
});

it("gives the same bits each time", async () => {
  const count = 1000;
  const problem = {
    start: { parameters: uniform(count, 1), mean: zeros(count), variance: zeros(count) },
    gradients: Array.from({ length: 5 }, (_, step) => uniform(count, step + 2)),
    rates: [0.01],
  };
  const [once, again] = [await trainAdam(devices.gpu, problem, {}), await trainAdam(devices.gpu, problem, {})];
  expectClose(again.parameters, once.parameters, EXACT);
});

describe("the optimizers' contracts", () => {
  const tensor = (shape: number[], name: string) => createTensor(devices.cpu, shape, { name });
  const refused = (
    numbers: Numbers<SgdOptions> & Numbers<AdamOptions>,
    sizes: Partial<Record<string, number[]>> = {},
  ) => {
    const rec = new Recorder(devices.cpu);
    const of = (name: string, shape = [8]) => tensor(sizes[name] ?? shape, name);
    const counter = createTensor(devices.cpu, [1], { dtype: "u32", name: "counter" });
    const start = createTensor(devices.cpu, sizes.start ?? [1], { dtype: "u32", name: "start" });
    const schedule = { rates: of("rates", [3]), counter, start };
    const [parameters, gradients] = [of("parameters"), of("gradients")];
    if (numbers.momentum !== undefined || numbers.nesterov) {
      sgd(rec, { parameters, gradients, velocity: of("velocity") }, { ...schedule, ...numbers });
    } else {
      adam(rec, { parameters, gradients, mean: of("mean"), variance: of("variance") }, { ...schedule, ...numbers });
    }
  };

  it("name the number that is out of range", () => {
    expect(() => {
      refused({ momentum: 1 });
    }).toThrowErrorMatchingInlineSnapshot(
      `[InputError: sgd: momentum is 1; expected a number from 0 up to, not including, 1]`,
    );
    expect(() => {
      refused({ momentum: 0.9, weightDecay: NaN });
    }).toThrowErrorMatchingInlineSnapshot(`[InputError: sgd: weightDecay is NaN; expected a number from 0 up]`);
    expect(() => {
      refused({ nesterov: true });
    }).toThrowErrorMatchingInlineSnapshot(
      `[InputError: sgd: nesterov with momentum 0; give a momentum above 0, or leave nesterov out]`,
    );
    expect(() => {
      refused({ beta1: -0.1 });
    }).toThrowErrorMatchingInlineSnapshot(
      `[InputError: adam: beta1 is -0.1; expected a number from 0 up to, not including, 1]`,
    );
    expect(() => {
      refused({ beta2: 1 });
    }).toThrowErrorMatchingInlineSnapshot(
      `[InputError: adam: beta2 is 1; expected a number from 0 up to, not including, 1]`,
    );
    expect(() => {
      refused({ epsilon: -1 });
    }).toThrowErrorMatchingInlineSnapshot(`[InputError: adam: epsilon is -1; expected a number from 0 up]`);
  });

  it("name the tensor of another length", () => {
    expect(() => {
      refused({ momentum: 0.9 }, { velocity: [9] });
    }).toThrowErrorMatchingInlineSnapshot(`[ShapeError: sgd: velocity is [9]; expected [8]]`);
    expect(() => {
      refused({}, { variance: [4, 2] });
    }).toThrowErrorMatchingInlineSnapshot(`[ShapeError: adam: variance is [4, 2]; expected [8]]`);
    expect(() => {
      refused({}, { parameters: [4, 2] });
    }).toThrowErrorMatchingInlineSnapshot(`[ShapeError: adam: parameters is [4, 2]; expected 1 axes (P)]`);
    expect(() => {
      refused({}, { rates: [1, 3] });
    }).toThrowErrorMatchingInlineSnapshot(`[ShapeError: adam: rates is [1, 3]; expected 1 axes (T)]`);
    expect(() => {
      refused({}, { start: [2] });
    }).toThrowErrorMatchingInlineSnapshot(`[ShapeError: adam: start is [2]; expected [1]]`);
    const counter = createTensor(devices.cpu, [1], { dtype: "u32", name: "counter" });
    const average = (length: number, start: Tensor<"u32">) => () => {
      averageParameters(new Recorder(devices.cpu), tensor([8], "parameters"), tensor([length], "average"), {
        start,
        counter,
      });
    };
    expect(average(9, counter)).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: averageParameters: average is [9]; expected [8]]`,
    );
    expect(average(8, createTensor(devices.cpu, [2], { dtype: "u32" }))).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: averageParameters: start is [2]; expected [1]]`,
    );
  });
});
