import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drawLambda } from "../../src/kernels/mixup/index.js";
import {
  scorePairs,
  selectLowest,
  selectLowestReference,
  type ScorePairsOptions,
} from "../../src/kernels/select/index.js";
import { createTensor, Philox, readTensor, record, writeTensor, type Shape } from "../../src/tensor/index.js";
import { EXACT, expectClose, f32Tolerance } from "../close.js";
import { useDevices } from "../devices.js";
import { anySeed, randomInput, runKernel, type Input } from "./harness.js";

const devices = useDevices();

const f32 = (shape: Shape, data: ArrayLike<number>): Input<"f32"> => ({ shape, dtype: "f32", data });
const u32 = (data: ArrayLike<number>): Input<"u32"> => ({ shape: [data.length], dtype: "u32", data });

/** Logits of two classes whose largest probability is `confidence`. */
const logitsOf = (confidence: number) => [0, Math.log(confidence / (1 - confidence))];

/** Largest probability of the softmax of a row of logits, in f64. */
function confidence(logits: ArrayLike<number>, row: number, classes: number): number {
  const own = Array.from(logits).slice(row * classes, (row + 1) * classes);
  const largest = Math.max(...own);
  return 1 / own.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
}

describe("scorePairs", () => {
  const UNTOUCHED = 77;

  it("agrees with the reference at every batch", async () => {
    const problem = fc.record({
      batch: fc.constantFrom(1, 3, 63, 64, 65),
      lambdas: fc.constantFrom(1, 2, 11, 11),
      classes: fc.constantFrom(1, 2, 10, 37),
      batches: fc.constantFrom(1, 2, 3),
      missing: fc.nat(64),
      counter: fc.constantFrom(0, 0, 1, 2, 5, 0xffffffff),
      single: fc.option(fc.record({ seed: anySeed }), { nil: undefined, freq: 2 }),
      seed: anySeed,
    });
    await fc.assert(
      fc.asyncProperty(problem, async ({ batch, lambdas, classes, batches, missing, counter, single, seed }) => {
        const pool = Math.max(1, batch * batches - Math.min(missing, batch - 1));
        const random = new Philox(seed, 1);
        const perPair = single ? 1 : lambdas;
        // Rows of several scales, so that confidences differ.
        const logits = randomInput([batch * perPair, classes], seed);
        for (let row = 0; row < batch * perPair; row++) {
          const scale = 1 + 4 * random.float();
          for (let k = 0; k < classes; k++) (logits.data as Float32Array)[row * classes + k] *= scale;
        }
        const inputs = {
          logits,
          counter: u32([counter]),
          taken: u32(Array.from({ length: pool }, () => random.below(2))),
          scores: f32([pool], new Float32Array(pool).fill(UNTOUCHED)),
          choices: u32(new Uint32Array(pool).fill(UNTOUCHED)),
        };
        const [expected, actual] = await Promise.all(
          [devices.cpu, devices.gpu].map((device) =>
            runKernel(device, inputs, (recorder, tensors) => {
              scorePairs(recorder, tensors.logits, { ...tensors, lambdas, single });
              return { scores: tensors.scores, choices: tensors.choices };
            }),
          ),
        );
        expectClose(actual.scores, expected.scores, f32Tolerance(classes), "scores");
        for (const [candidate, choice] of actual.choices.entries()) {
          if (choice === expected.choices[candidate]) continue;
          // Of two λ with the same confidence but for rounding either may be taken; of nothing else.
          expect(single, `choice of candidate ${candidate}`).toBeUndefined();
          expect(choice).toBeLessThan(perPair);
          const first = (candidate - counter * batch) * perPair;
          const own = (l: number) => confidence(logits.data, first + l, classes);
          expectClose([own(choice)], [own(expected.choices[candidate])], f32Tolerance(classes), "the choice's score");
        }
      }),
      { numRuns: 60 },
    );
  });

  it("takes the smallest confidence over λ, the first where two attain it, and NaN for taken pairs", async () => {
    const confidences = [
      [0.9, 0.6, 0.7],
      [0.8, 0.55, 0.55],
      [0.51, 0.6, 0.7],
      [0.9, 0.8, 0.6],
    ];
    const inputs = {
      logits: f32([12, 2], confidences.flat().flatMap(logitsOf)),
      counter: u32([1]),
      taken: u32([0, 0, 0, 0, 0, 0, 1, 0, 0]),
      scores: f32([9], new Float32Array(9).fill(UNTOUCHED)),
      choices: u32(new Uint32Array(9).fill(UNTOUCHED)),
    };
    for (const device of [devices.cpu, devices.gpu]) {
      const { scores, choices } = await runKernel(device, inputs, (recorder, tensors) => {
        scorePairs(recorder, tensors.logits, { ...tensors, lambdas: 3 });
        return { scores: tensors.scores, choices: tensors.choices };
      });
      const kept = [UNTOUCHED, UNTOUCHED, UNTOUCHED, UNTOUCHED];
      expectClose(scores, [...kept, 0.6, 0.55, NaN, 0.6, UNTOUCHED], f32Tolerance(2));
      expectClose(choices, [...kept, 1, 1, 0, 2, UNTOUCHED], EXACT);
    }
  });

  it("gives +Infinity for a pair with a NaN or an undecided infinity among its logits", async () => {
    const rows = [
      [0, 1],
      [NaN, 1],
      [2, NaN],
      [0, 3],
      [Infinity, 0],
      [0, 1],
      [-Infinity, 0],
      [0, 0],
      [-Infinity, -Infinity],
      [0, 0],
    ];
    const inputs = {
      logits: f32([10, 2], rows.flat()),
      counter: u32([0]),
      taken: u32([0, 0, 0, 0, 0]),
      scores: f32([5], [0, 0, 0, 0, 0]),
      choices: u32([9, 9, 9, 9, 9]),
    };
    for (const device of [devices.cpu, devices.gpu]) {
      const { scores, choices } = await runKernel(device, inputs, (recorder, tensors) => {
        scorePairs(recorder, tensors.logits, { ...tensors, lambdas: 2 });
        return { scores: tensors.scores, choices: tensors.choices };
      });
      expectClose(scores, [Infinity, Infinity, Infinity, 0.5, Infinity], f32Tolerance(2));
      expectClose(choices, [1, 0, 0, 1, 0], EXACT);
    }
  });

  it("lets taken pairs be selected last, after those of a network that gives NaN", async () => {
    const logits = [logitsOf(0.9), [NaN, 0], logitsOf(0.6), [NaN, 0], [NaN, NaN], logitsOf(0.7)];
    const inputs = {
      logits: f32([6, 2], logits.flat()),
      counter: u32([0]),
      taken: u32([0, 1, 1, 0, 0, 1]),
      scores: f32([6], new Float32Array(6)),
      choices: u32(new Uint32Array(6)),
    };
    for (const device of [devices.cpu, devices.gpu]) {
      const { scores, three, four } = await runKernel(device, inputs, (recorder, tensors) => {
        scorePairs(recorder, tensors.logits, { ...tensors, lambdas: 1 });
        return {
          scores: tensors.scores,
          three: selectLowest(recorder, tensors.scores, 3).indices,
          four: selectLowest(recorder, tensors.scores, 4).indices,
        };
      });
      expectClose(scores, [0.9, NaN, NaN, Infinity, Infinity, NaN], f32Tolerance(2));
      expectClose(three, [0, 3, 4], EXACT);
      expectClose(four, [0, 1, 3, 4], EXACT);
    }
  });

  it("gives a single blend's choice as the λ that was drawn for the candidate", async () => {
    const inputs = {
      logits: f32([20, 2], Array.from({ length: 20 }, () => logitsOf(0.75)).flat()),
      counter: u32([2]),
      taken: u32(new Uint32Array(60)),
      scores: f32([60], new Float32Array(60)),
      choices: u32(new Uint32Array(60)),
    };
    const { choices } = await runKernel(devices.gpu, inputs, (recorder, tensors) => {
      scorePairs(recorder, tensors.logits, { ...tensors, lambdas: 11, single: { seed: 4 } });
      return { choices: tensors.choices };
    });
    expect([...choices.slice(40)]).toEqual(Array.from({ length: 20 }, (_, p) => drawLambda(40 + p, 4, 11)));
  });

  it("says what does not fit", async () => {
    const attempt = (shape: Shape, options: Partial<ScorePairsOptions>) =>
      runKernel(
        devices.cpu,
        {
          logits: randomInput(shape, 1),
          counter: u32([0]),
          taken: u32([0, 0]),
          scores: f32([2], [0, 0]),
          choices: u32([0, 0]),
        },
        (recorder, tensors) => {
          scorePairs(recorder, tensors.logits, { ...tensors, lambdas: 2, ...options });
          return {};
        },
      );
    await expect(attempt([3, 10], {})).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: scorePairs: logits are [3, 10]; expected a multiple of 2 rows, one for each λ]`,
    );
    await expect(attempt([4], {})).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: scorePairs: logits is [4]; expected 2 axes (P·L K)]`,
    );
    await expect(attempt([4, 10], { lambdas: 0 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: scorePairs: lambdas is 0; expected a whole number from 1 up]`,
    );
    const taken = createTensor(devices.cpu, [3], { dtype: "u32" });
    await expect(attempt([4, 10], { taken })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: scorePairs: taken is [3]; expected [2]]`,
    );
  });
});

/** All indices in the order of selection: by score, NaN last, then by index. */
function ranking(scores: Float32Array): Uint32Array {
  return Uint32Array.from(scores, (_, index) => index).sort((a, b) => {
    if (scores[a] < scores[b]) return -1;
    if (scores[a] > scores[b]) return 1;
    return Number(Number.isNaN(scores[a])) - Number(Number.isNaN(scores[b])) || a - b;
  });
}

/** Both devices have to select the first k of the ranking. */
async function expectSelection(scores: Float32Array, k: number, ranked: Uint32Array): Promise<void> {
  for (const device of [devices.cpu, devices.gpu]) {
    const { indices } = await runKernel(device, { scores: f32([scores.length], scores) }, (recorder, tensors) =>
      selectLowest(recorder, tensors.scores, k),
    );
    expectClose(indices, ranked.slice(0, k).sort(), EXACT, `${device.info.kind}, k = ${k}`);
  }
}

const special = [0, -0, Infinity, -Infinity, NaN, 1e-45, -1e-45, 3.4e38, -3.4e38, 1, -1, 0.5, 1 + 2 ** -23];

describe("selectLowest", () => {
  it("selects what a sort puts first, across the edges of blocks", { timeout: 120_000 }, async () => {
    const problem = fc.record({
      count: fc.oneof(fc.integer({ min: 1, max: 600 }), fc.constantFrom(16_383, 16_384, 16_385, 40_000)),
      share: fc.constantFrom(0, 0.01, 0.3, 0.999, 1),
      // Share of values that are special, and how many distinct ones the others take.
      specials: fc.constantFrom(0, 0.1, 1),
      distinct: fc.constantFrom(1, 3, 2 ** 24),
      seed: anySeed,
    });
    await fc.assert(
      fc.asyncProperty(problem, async ({ count, share, specials, distinct, seed }) => {
        const random = new Philox(seed);
        const scores = Float32Array.from({ length: count }, () =>
          random.float() < specials ? special[random.below(special.length)] : random.below(distinct) / distinct - 0.25,
        );
        await expectSelection(scores, Math.max(1, Math.round(share * count)), ranking(scores));
      }),
      { numRuns: 40 },
    );
  });

  it("selects from two million scores with massive ties, infinities and NaN", { timeout: 120_000 }, async () => {
    const count = 2_000_000;
    const random = new Philox(7);
    const scores = Float32Array.from({ length: count }, () => {
      const word = random.uint32();
      // Half the scores are one of eight values, one in sixteen is special, the others are all over (0, 1).
      if (word % 16 === 0) return special[(word >>> 8) % special.length];
      return word % 2 === 0 ? ((word >>> 8) % 8) / 8 : (word >>> 8) / 2 ** 24;
    });
    const ranked = ranking(scores);
    for (const k of [1, 10_000, 700_000, count]) await expectSelection(scores, k, ranked);
  });

  it("selects the lowest 10,000 of ten million confidences", { timeout: 120_000 }, async () => {
    const random = new Philox(11);
    // As a trained student's are: most of them near 1.
    const scores = Float32Array.from({ length: 10_000_000 }, () => 1 - 0.9 * random.float() ** 4);
    const expected = new Uint32Array(10_000);
    selectLowestReference(scores, expected);
    const { indices } = await runKernel(devices.gpu, { scores: f32([scores.length], scores) }, (recorder, tensors) =>
      selectLowest(recorder, tensors.scores, expected.length),
    );
    expectClose(indices, expected, EXACT);
  });

  it("selects the first of two million equal scores", { timeout: 120_000 }, async () => {
    const count = 2_000_000;
    const first = Uint32Array.from({ length: count }, (_, index) => index);
    for (const value of [0.25, Infinity, NaN]) {
      await expectSelection(new Float32Array(count).fill(value), 123_456, first);
    }
  });

  it("never selects +Infinity while finite scores are left", async () => {
    const scores = Float32Array.from({ length: 1000 }, (_, index) => (index % 10 === 3 ? index : Infinity));
    const { indices } = await runKernel(devices.gpu, { scores: f32([1000], scores) }, (recorder, tensors) =>
      selectLowest(recorder, tensors.scores, 100),
    );
    expect([...indices]).toEqual(Array.from({ length: 100 }, (_, index) => 10 * index + 3));
  });

  it("starts anew each time that it is replayed", async () => {
    const scores = createTensor(devices.gpu, [5], { data: [5, 4, 3, 2, 1], name: "scores" });
    const recording = await record(devices.gpu, (recorder) => recorder.keep(selectLowest(recorder, scores, 2).indices));
    recording.run(3);
    expect([...(await readTensor(recording.result))]).toEqual([3, 4]);
    writeTensor(scores, [1, 2, 3, 4, 0]);
    recording.run();
    expect([...(await readTensor(recording.result))]).toEqual([0, 4]);
    recording.dispose();
    scores.dispose();
  });

  it("says what does not fit", async () => {
    const attempt = (k: number) =>
      runKernel(devices.cpu, { scores: f32([3], [1, 2, 3]) }, (recorder, { scores }) =>
        selectLowest(recorder, scores, k),
      );
    await expect(attempt(4)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: selectLowest: k is 4; expected a whole number from 1 to 3, the number of scores]`,
    );
    await expect(attempt(0)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: selectLowest: k is 0; expected a whole number from 1 to 3, the number of scores]`,
    );
  });
});
