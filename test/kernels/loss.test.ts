import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  accumulateMean,
  argmax,
  countEqual,
  crossEntropySizes,
  crossEntropyTemperature,
  scoreSizes,
  softmax,
  softmaxCrossEntropy,
  softmaxCrossEntropyReference,
  softmaxReference,
} from "../../src/kernels/loss/index.js";
import { createTensor, Philox, readTensor, record, Recorder } from "../../src/tensor/index.js";
import { EXACT, expectClose, f32Tolerance, LOSS_BY_DIFFERENCES, SHIFTED_SOFTMAX } from "../close.js";
import { useDevices } from "../devices.js";
import { anySeed, edgeSize, expectSame, randomInput, runKernel, type Input } from "./harness.js";

const devices = useDevices();
const names = ["cpu", "gpu"] as const;

const rows = (shape: number[], data: number[]): Input<"f32"> => ({ shape, data, dtype: "f32" });
const { NEGATIVE_INFINITY } = Number;

/** Logits in [−scale, scale). */
function logitsInput(shape: number[], seed: number, scale: number): Input<"f32"> {
  const { data } = randomInput(shape, seed);
  return { shape, dtype: "f32", data: Float32Array.from(data, (value) => scale * value) };
}

/** Rows that sum to 1, with zeros among them and, where K allows, one row that is all on one class. */
function targetsInput([count, classes]: number[], seed: number): Input<"f32"> {
  const random = new Philox(seed);
  const data = new Float32Array(count * classes);
  for (let b = 0; b < count; b++) {
    const row = data.subarray(b * classes, (b + 1) * classes);
    for (let k = 0; k < classes; k++) row[k] = random.below(3) === 0 ? 0 : random.float();
    if (b % 4 === 0) row.fill(0);
    row[random.below(classes)] += 0.5;
    const sum = row.reduce((total, value) => total + value, 0);
    for (let k = 0; k < classes; k++) row[k] /= sum;
  }
  return { shape: [count, classes], dtype: "f32", data };
}

const problem = fc.record({
  count: edgeSize(64),
  classes: fc.constantFrom(1, 2, 3, 10, 17, 100),
  scale: fc.constantFrom(0.1, 3, 30, 1000),
  seed: anySeed,
});

const temperatures = fc.constantFrom(1, 2, 4, 0.5);

describe("softmax", () => {
  it("agrees with the reference", async () => {
    await fc.assert(
      fc.asyncProperty(problem, async ({ count, classes, scale, seed }) => {
        const inputs = { logits: logitsInput([count, classes], seed, scale) };
        await expectSame(devices, inputs, (rec, { logits }) => ({ out: softmax(rec, logits) }), f32Tolerance(classes));
      }),
      { numRuns: 40 },
    );
  });

  it.each(names)("is stable, and NaN only where it has to be, device %s", async (name) => {
    const logits = [
      ...[1e30, 1e30, 0],
      ...[-1e30, -1e30, -1e30],
      ...[NEGATIVE_INFINITY, 0, 0],
      ...[NEGATIVE_INFINITY, NEGATIVE_INFINITY, 5],
      ...[NEGATIVE_INFINITY, NEGATIVE_INFINITY, NEGATIVE_INFINITY],
      ...[Infinity, 0, 1],
      ...[0, NaN, 1],
      ...[NaN, 0, 1],
      ...[3.4e38, -3.4e38, NEGATIVE_INFINITY],
    ];
    const { out } = await runKernel(devices[name], { logits: rows([9, 3], logits) }, (rec, tensors) => ({
      out: softmax(rec, tensors.logits),
    }));
    const third = 1 / 3;
    const expected = [
      ...[0.5, 0.5, 0],
      ...[third, third, third],
      ...[0, 0.5, 0.5],
      ...[0, 0, 1],
      ...Array<number>(12).fill(NaN),
      ...[1, 0, 0],
    ];
    expectClose(out, expected, f32Tolerance(3));
  });

  it("gives rows that sum to 1 and do not change when a number is added to all logits", () => {
    const property = fc.property(fc.array(fc.float({ min: -50, max: 50, noNaN: true }), { minLength: 1 }), (row) => {
      const sizes = { rows: 1, classes: row.length };
      const [out, shifted] = [new Float32Array(row.length), new Float32Array(row.length)];
      softmaxReference(Float32Array.from(row), out, sizes);
      softmaxReference(
        Float32Array.from(row, (value) => value + 64),
        shifted,
        sizes,
      );
      expectClose([out.reduce((sum, value) => sum + value, 0)], [1], f32Tolerance(row.length));
      expectClose(shifted, out, SHIFTED_SOFTMAX);
    });
    fc.assert(property);
  });
});

describe("softmaxCrossEntropy", () => {
  it("agrees with the reference", async () => {
    await fc.assert(
      fc.asyncProperty(problem, temperatures, async ({ count, classes, scale, seed }, temperature) => {
        const shape = [count, classes];
        const inputs = { logits: logitsInput(shape, seed, scale), targets: targetsInput(shape, seed + 1) };
        await expectSame(
          devices,
          inputs,
          (rec, { logits, targets }) => ({ ...softmaxCrossEntropy(rec, logits, targets, { temperature }) }),
          f32Tolerance(classes),
        );
      }),
      { numRuns: 40 },
    );
  });

  it.each([1, 3])("is −T² · Σ t · ln p, and its gradient that of the mean, by finite differences, T = %d", (T) => {
    const sizes = { rows: 3, classes: 4 };
    const shape = [sizes.rows, sizes.classes];
    const logits = Float32Array.from(logitsInput(shape, 7, 2).data);
    // One row does not sum to 1.
    const targets = Float32Array.from(targetsInput(shape, 8).data, (value, index) => (index < 4 ? 0.5 * value : value));
    const [losses, gradient] = [new Float32Array(3), new Float32Array(12)];
    softmaxCrossEntropyReference(logits, targets, losses, gradient, sizes, T);

    const probabilities = new Float32Array(12);
    softmaxReference(
      logits.map((logit) => logit / T),
      probabilities,
      sizes,
    );
    const expected = [0, 1, 2].map(
      (b) => T ** 2 * [0, 1, 2, 3].reduce((sum, k) => sum - targets[4 * b + k] * Math.log(probabilities[4 * b + k]), 0),
    );
    expectClose(losses, expected, f32Tolerance(4));

    const meanAt = (index: number, step: number) => {
      const moved = logits.slice();
      moved[index] += step;
      const own = new Float32Array(3);
      softmaxCrossEntropyReference(moved, targets, own, new Float32Array(12), sizes, T);
      return { at: moved[index], mean: (own[0] + own[1] + own[2]) / 3 };
    };
    const differences = Float64Array.from(logits, (_, index) => {
      const [up, down] = [meanAt(index, 1e-2), meanAt(index, -1e-2)];
      return (up.mean - down.mean) / (up.at - down.at);
    });
    expectClose(gradient, differences, LOSS_BY_DIFFERENCES);
  });

  it.each(names)("takes large and infinite logits, and carries NaN, device %s", async (name) => {
    const logits = [
      ...[1000, 0, -1000],
      ...[1e30, 0, 0],
      ...[NEGATIVE_INFINITY, 0, 0],
      ...[NEGATIVE_INFINITY, 0, 0],
      ...[NaN, 0, 0],
      ...[0, Infinity, 0],
      ...[0, 0, 0],
      ...[NEGATIVE_INFINITY, NEGATIVE_INFINITY, NEGATIVE_INFINITY],
    ];
    const targets = [
      ...[0, 1, 0],
      ...[1, 0, 0],
      ...[0, 1, 0],
      ...[0.5, 0.5, -0],
      ...[0, 1, 0],
      ...[0, 1, 0],
      ...[NaN, 1, 0],
      ...[1, 0, 0],
    ];
    const result = await runKernel(
      devices[name],
      { logits: rows([8, 3], logits), targets: rows([8, 3], targets) },
      (rec, tensors) => ({ ...softmaxCrossEntropy(rec, tensors.logits, tensors.targets) }),
    );
    expectClose(result.losses, [1000, 0, Math.LN2, Infinity, NaN, NaN, NaN, NaN], f32Tolerance(3));
    const eighth = 1 / 8;
    const expected = [
      ...[eighth, -eighth, 0],
      ...[0, 0, 0],
      ...[0, -eighth / 2, eighth / 2],
      ...[-eighth / 2, 0, eighth / 2],
      ...Array<number>(12).fill(NaN),
    ];
    expectClose(result.gradient, expected, f32Tolerance(3));
  });

  it.each([0, -1, NaN, Infinity])("takes no temperature of %d", (temperature) => {
    expect(() => crossEntropyTemperature({ temperature })).toThrow(
      `softmaxCrossEntropy: temperature is ${temperature}; expected a number above 0`,
    );
  });

  it("says which shapes it takes", () => {
    expect(() => crossEntropySizes([4, 10], [4, 9])).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: softmaxCrossEntropy: targets is [4, 9]; expected [4, 10]]`,
    );
    expect(() => scoreSizes("softmax", "logits", [4])).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: softmax: logits is [4]; expected 2 axes (B K)]`,
    );
  });
});

describe("accumulateMean", () => {
  it.each(names)("adds the mean at each run, device %s", async (name) => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(1, 2, 63, 64, 65, 257, 1000), anySeed, async (count, seed) => {
        const { data } = randomInput([count], seed);
        const values = createTensor(devices[name], [count], { data });
        const total = createTensor(devices[name], [1], { data: [0.25] });
        const recording = await record(devices[name], (rec) => {
          accumulateMean(rec, values, total);
        });
        recording.run(3);
        const mean = Array.from(data).reduce((sum, value) => sum + value, 0) / count;
        expectClose(await readTensor(total), [0.25 + 3 * mean], f32Tolerance(count));
        for (const owner of [recording, values, total]) owner.dispose();
      }),
      { numRuns: 12 },
    );
  });

  it.each(names)("lets NaN and infinities through, device %s", async (name) => {
    for (const value of [NaN, Infinity, NEGATIVE_INFINITY]) {
      const total = createTensor(devices[name], [1]);
      await runKernel(
        devices[name],
        { values: rows([70], Array<number>(69).fill(1).concat(value)) },
        (rec, { values }) => {
          accumulateMean(rec, values, total);
          return {};
        },
      );
      expectClose(await readTensor(total), [value], EXACT);
      total.dispose();
    }
  });
});

describe("argmax", () => {
  it("agrees with the reference, with ties", async () => {
    await fc.assert(
      fc.asyncProperty(problem, async ({ count, classes, seed }) => {
        const random = new Philox(seed);
        // Few different values: many ties.
        const data = Float32Array.from({ length: count * classes }, () => random.below(5) - 2);
        const x: Input<"f32"> = { shape: [count, classes], dtype: "f32", data };
        await expectSame(devices, { x }, (rec, tensors) => ({ out: argmax(rec, tensors.x) }), EXACT);
      }),
      { numRuns: 30 },
    );
  });

  it.each(names)("takes the first maximum, and NaN for the largest, device %s", async (name) => {
    const data = [
      ...[1, 3, 3],
      ...[0, -0, 0],
      ...[-0, 0, 0],
      ...[NEGATIVE_INFINITY, NEGATIVE_INFINITY, NEGATIVE_INFINITY],
      ...[1, Infinity, Infinity],
      ...[Infinity, NaN, NaN],
      ...[NaN, Infinity, 1],
      ...[NEGATIVE_INFINITY, -3e38, 0],
    ];
    const { out } = await runKernel(devices[name], { x: rows([8, 3], data) }, (rec, { x }) => ({
      out: argmax(rec, x),
    }));
    expect([...out]).toEqual([1, 0, 0, 0, 1, 1, 0, 2]);
  });
});

describe("countEqual", () => {
  it.each(names)("counts equal places over runs, device %s", async (name) => {
    const pairs = fc.integer({ min: 1, max: 200 }).chain((length) => {
      const labels = fc.array(fc.constantFrom(0, 1, 2, 0xffffffff), { minLength: length, maxLength: length });
      return fc.record({ a: labels, b: labels });
    });
    await fc.assert(
      fc.asyncProperty(pairs, async ({ a, b }) => {
        const device = devices[name];
        const tensors = [a, b].map((data) => createTensor(device, [data.length], { dtype: "u32", data }));
        const total = createTensor(device, [1], { dtype: "u32", data: [10] });
        const recording = await record(device, (rec) => {
          countEqual(rec, tensors[0], tensors[1], total);
        });
        recording.run(2);
        const equal = a.filter((label, index) => label === b[index]).length;
        expect([...(await readTensor(total))]).toEqual([10 + 2 * equal]);
        for (const owner of [recording, ...tensors, total]) owner.dispose();
      }),
      { numRuns: 20 },
    );
  });
});

it("names the tensor of a wrong shape or type", () => {
  const rec = new Recorder(devices.cpu);
  const f = (shape: number[], name: string) => createTensor(devices.cpu, shape, { name });
  const u = (shape: number[], name: string) => createTensor(devices.cpu, shape, { name, dtype: "u32" });
  expect(() => {
    accumulateMean(rec, f([4, 1], "losses"), f([1], "total"));
  }).toThrowErrorMatchingInlineSnapshot(`[ShapeError: accumulateMean: values is [4, 1]; expected 1 axes (B)]`);
  expect(() => {
    accumulateMean(rec, f([4], "losses"), f([2], "total"));
  }).toThrowErrorMatchingInlineSnapshot(`[ShapeError: accumulateMean: total is [2]; expected [1]]`);
  expect(() => {
    countEqual(rec, u([4], "a"), u([5], "b"), u([1], "total"));
  }).toThrowErrorMatchingInlineSnapshot(`[ShapeError: countEqual: b is [5]; expected [4]]`);
  expect(() => {
    countEqual(rec, u([4], "a"), f([4], "classes") as never, u([1], "total"));
  }).toThrowErrorMatchingInlineSnapshot(`[DTypeError: countEqual: b ("classes") holds f32; expected u32]`);
  expect(() => argmax(rec, u([4, 2], "labels") as never)).toThrowErrorMatchingInlineSnapshot(
    `[DTypeError: argmax: x ("labels") holds u32; expected f32]`,
  );
});
