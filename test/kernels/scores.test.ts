import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addBelief,
  drawGumbel,
  gumbel,
  scoreBelief,
  scorePairs,
  scorePairsReference,
  type Belief,
  type ScoreName,
  type ScorePairsOptions,
} from "../../src/kernels/select/index.js";
import { Philox, type Recorder, type Shape, type Tensor } from "../../src/tensor/index.js";
import { EXACT, expectClose, f32Tolerance, NOISY_SCORE } from "../close.js";
import { useDevices } from "../devices.js";
import { anySeed, runKernel, type Input } from "./harness.js";

const devices = useDevices();

const f32 = (shape: Shape, data: ArrayLike<number>): Input<"f32"> => ({ shape, dtype: "f32", data });
const u32 = (data: ArrayLike<number>): Input<"u32"> => ({ shape: [data.length], dtype: "u32", data });

/** Softmax of a row, in f64. */
function softmaxOf(row: readonly number[]): number[] {
  const largest = Math.max(...row);
  const powers = row.map((logit) => Math.exp(logit - largest));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

const entropyOf = (p: readonly number[]) => -p.reduce((sum, q) => sum + (q > 0 ? q * Math.log(q) : 0), 0);

/** The scores by their definitions. */
const definitions: Record<ScoreName, (p: readonly number[]) => number> = {
  confidence: (p) => Math.max(...p),
  margin: (p) => {
    const [first, second = 0] = p.toSorted((a, b) => b - a);
    return first - second;
  },
  entropy: (p) => -entropyOf(p),
};

function rowsOf(data: ArrayLike<number>, width: number): number[][] {
  const all = Array.from(data);
  return Array.from({ length: all.length / width }, (_, row) => all.slice(row * width, (row + 1) * width));
}

/** Rows of logits: random ones of several scales, equal ones, ties for the largest, and extreme ones. */
function awkwardLogits(rows: number, classes: number, random: Philox): Float32Array {
  const kinds: (() => (k: number) => number)[] = [
    () => {
      const scale = 1 + 8 * random.float();
      return () => scale * (2 * random.float() - 1);
    },
    () => () => 3,
    () => {
      const place = random.below(classes);
      return (k) => (k === place || k === (place + 1) % classes ? 2 : -random.float());
    },
    () => {
      const place = random.below(classes);
      return (k) => (k === place ? 100 : -100);
    },
  ];
  return Float32Array.from(
    Array.from({ length: rows }, () => {
      const draw = kinds[Math.max(0, random.below(8) - 4)]();
      return Array.from({ length: classes }, (_, k) => draw(k));
    }).flat(),
  );
}

/** A pool's table of `count` candidates, at the start. */
const table = (count: number) => ({
  counter: u32([0]),
  taken: u32(new Uint32Array(count)),
  scores: f32([count], new Float32Array(count).fill(77)),
  choices: u32(new Uint32Array(count).fill(77)),
});

interface TableTensors extends Pick<ScorePairsOptions, "counter" | "taken" | "scores" | "choices"> {
  readonly round: Tensor<"u32">;
}

const shapes = fc.record({
  pairs: fc.constantFrom(1, 5, 65),
  lambdas: fc.constantFrom(1, 3, 11),
  classes: fc.constantFrom(2, 10, 10, 100),
  seed: anySeed,
});

describe.each(["cpu", "gpu"] as const)("on the %s device", (name) => {
  it.each(["confidence", "margin", "entropy"] as const)("%s is what its definition says", async (score) => {
    const run = async (pairs: number, lambdas: number, classes: number, seed: number) => {
      const logits = awkwardLogits(pairs * lambdas, classes, new Philox(seed, 1));
      const inputs = { ...table(pairs), logits: f32([pairs * lambdas, classes], logits) };
      const { scores, choices } = await runKernel(devices[name], inputs, (recorder, tensors) => {
        scorePairs(recorder, tensors.logits, { ...tensors, lambdas, score });
        return { scores: tensors.scores, choices: tensors.choices };
      });
      const own = rowsOf(logits, classes).map((row) => definitions[score](softmaxOf(row)));
      const expected = rowsOf(own, lambdas);
      const tolerance = f32Tolerance(classes);
      const lowest = expected.map((values) => Math.min(...values));
      expectClose(scores, lowest, tolerance, "scores");
      // Of λ that tie but for rounding either may be taken.
      const chosen = expected.map((values, pair) => values[choices[pair]]);
      expectClose(chosen, lowest, tolerance, "the choices' scores");
    };
    await fc.assert(
      fc.asyncProperty(shapes, ({ pairs, lambdas, classes, seed }) => run(pairs, lambdas, classes, seed)),
      { numRuns: 15 },
    );
    await run(3, 3, 1000, 5);
    await run(2, 3, 1, 5);
  });

  it("margin and entropy choose the first λ that attains the lowest, and mind NaN and taken pairs as confidence", async () => {
    const rows = [
      [4, 0, -Infinity],
      [1, 1, -9],
      [1, 1, -9],
      [1, 1, -9],
      [1, 0, 0],
      [0, 0, NaN],
      [NaN, 0, 0],
      [0, 0, 0],
      [9, 0, 0],
      [0, 0, 0],
    ].flat();
    for (const score of ["margin", "entropy"] as const) {
      const inputs = { ...table(5), taken: u32([0, 0, 0, 0, 1]), logits: f32([10, 3], rows) };
      const { scores, choices } = await runKernel(devices[name], inputs, (recorder, tensors) => {
        scorePairs(recorder, tensors.logits, { ...tensors, lambdas: 2, score });
        return { scores: tensors.scores, choices: tensors.choices };
      });
      const tie = definitions[score](softmaxOf([1, 1, -9]));
      expectClose(scores, [tie, tie, Infinity, Infinity, NaN], f32Tolerance(3));
      expectClose(choices, [1, 0, 1, 0, 1], EXACT);
    }
  });

  it("noise is added to ln(1 − confidence) at the λ of lowest confidence, and repeats", async () => {
    const random = new Philox(9, 1);
    const [pairs, lambdas, classes] = [65, 3, 10];
    const logits = awkwardLogits(pairs * lambdas, classes, random);
    // The first: doubt that only logarithms hold. The last: none at all; the one before it, NaN.
    for (let row = 0; row < lambdas; row++) logits.fill(-100, row * classes + 1, (row + 1) * classes);
    for (let row = 0; row < lambdas; row++) logits[row * classes] = 100;
    logits.fill(-Infinity, logits.length - 3 * classes);
    for (const row of [1, 2, 3]) logits[logits.length - row * classes] = 1;
    logits[logits.length - 4 * classes] = NaN;
    const inputs = { ...table(pairs), round: u32([4]), logits: f32([pairs * lambdas, classes], logits) };
    const run = () =>
      runKernel(devices[name], inputs, (recorder, { round, ...tensors }) => {
        scorePairs(recorder, tensors.logits, { ...tensors, lambdas, noise: { seed: 3, counter: round } });
        return { scores: tensors.scores, choices: tensors.choices };
      });
    const first = await run();
    const expected = Array.from(first.choices, (choice, pair) => {
      const row = rowsOf(logits, classes)[pair * lambdas + choice].toSorted((a, b) => b - a);
      const powers = row.map((logit) => Math.exp(logit - row[0]));
      const doubt = powers.slice(1).reduce((a, b) => a + b) / powers.reduce((a, b) => a + b);
      return -(Math.log(doubt) + drawGumbel(pair, 4, 3));
    });
    expected[pairs - 2] = Infinity;
    expectClose(first.scores, expected, NOISY_SCORE);
    expect(first.scores[pairs - 1]).toBe(Infinity);
    expect(first.scores[0]).toBeGreaterThan(190);
    const { choices } = await runKernel(devices[name], inputs, (recorder, tensors) => {
      scorePairs(recorder, tensors.logits, { ...tensors, lambdas });
      return { choices: tensors.choices };
    });
    expect(first.choices).toEqual(choices);
    expect((await run()).scores).toEqual(first.scores);
    const later = { ...inputs, round: u32([5]) };
    const { scores } = await runKernel(devices[name], later, (recorder, { round, ...tensors }) => {
      scorePairs(recorder, tensors.logits, { ...tensors, lambdas, noise: { seed: 3, counter: round } });
      return { scores: tensors.scores };
    });
    expect(scores[0]).not.toBe(first.scores[0]);
  });

  it("disagreement is the mutual information of label and member", async () => {
    const problem = fc.record({ shape: shapes, members: fc.constantFrom(2, 3, 16) });
    const run = async (pairs: number, lambdas: number, classes: number, members: number, seed: number) => {
      const random = new Philox(seed, 1);
      const rows = pairs * lambdas;
      const logits = Array.from({ length: members }, () => awkwardLogits(rows, classes, random));
      const inputs = {
        ...table(pairs),
        ...Object.fromEntries(logits.map((own, m) => [`m${m}`, f32([rows, classes], own)])),
      };
      const { scores, choices } = await runKernel(devices[name], inputs, (recorder, tensors) => {
        const all = tensors as unknown as Record<string, Tensor<"f32">> & TableTensors;
        scoreBelief(
          recorder,
          believe(
            recorder,
            logits.map((_, m) => all[`m${m}`]),
          ),
          { ...all, lambdas },
        );
        return { scores: all.scores, choices: all.choices };
      });
      const beliefs = logits.map((own) => rowsOf(own, classes).map(softmaxOf));
      const own = Array.from({ length: rows }, (_, row) => {
        const mean = Array.from(
          { length: classes },
          (_, k) => beliefs.reduce((sum, p) => sum + p[row][k], 0) / members,
        );
        return beliefs.reduce((sum, p) => sum + entropyOf(p[row]), 0) / members - entropyOf(mean);
      });
      const expected = rowsOf(own, lambdas);
      const lowest = expected.map((values) => Math.min(...values));
      expectClose(scores, lowest, f32Tolerance(classes), "scores");
      expectClose(
        expected.map((values, pair) => values[choices[pair]]),
        lowest,
        f32Tolerance(classes),
        "choices",
      );
    };
    await fc.assert(
      fc.asyncProperty(problem, ({ shape: { pairs, lambdas, classes, seed }, members }) =>
        run(pairs, lambdas, classes, members, seed),
      ),
      { numRuns: 12 },
    );
    await run(2, 3, 1000, 3, 8);
  });

  it("members that agree score 0, sure ones that differ −ln 2, one NaN +Infinity, and a taken pair NaN", async () => {
    const inputs = {
      ...table(5),
      taken: u32([0, 0, 0, 0, 1]),
      first: f32(
        [5, 2],
        [
          [1, 2],
          [100, -100],
          [NaN, 1],
          [-Infinity, 0],
          [0, 0],
        ].flat(),
      ),
      second: f32(
        [5, 2],
        [
          [1, 2],
          [-100, 100],
          [0, 1],
          [-Infinity, 0],
          [0, 0],
        ].flat(),
      ),
    };
    const { scores, choices } = await runKernel(devices[name], inputs, (recorder, { first, second, ...own }) => {
      scoreBelief(recorder, believe(recorder, [first, second]), { ...own, lambdas: 1 });
      return { scores: own.scores, choices: own.choices };
    });
    expectClose(scores, [0, -Math.LN2, Infinity, 0, NaN], f32Tolerance(2));
    expectClose(choices, [0, 0, 0, 0, 0], EXACT);
  });
});

function believe(recorder: Recorder, members: readonly Tensor<"f32">[]): Belief {
  let belief: Belief | undefined;
  for (const logits of members) belief = addBelief(recorder, logits, belief);
  return belief!;
}

describe("Gumbel noise", () => {
  it("has the distribution exp(−exp(−x)), to its ends", () => {
    const random = new Philox(1);
    const count = 50_000;
    const drawn = Float64Array.from({ length: count }, () => gumbel(random.uint32())).sort();
    // Kolmogorov–Smirnov: above 1.95 / √n once in a thousand seeds.
    const worst = drawn.reduce(
      (most, x, index) => Math.max(most, Math.abs(Math.exp(-Math.exp(-x)) - (index + 0.5) / count)),
      0,
    );
    expect(worst).toBeLessThan(1.95 / Math.sqrt(count));
    expect(gumbel(0)).toBeCloseTo(33 * Math.LN2, 6);
    expect(gumbel(0xffffffff)).toBeCloseTo(-Math.log(33 * Math.LN2), 6);
  });

  it("is on the device what it is on the host, for large noise too", async () => {
    // Of equal logits of two classes: −(ln ½ + G).
    const count = 100_000;
    const inputs = { ...table(count), round: u32([1]), logits: f32([count, 2], new Float32Array(2 * count)) };
    const { scores } = await runKernel(devices.gpu, inputs, (recorder, { round, ...tensors }) => {
      scorePairs(recorder, tensors.logits, { ...tensors, lambdas: 1, noise: { seed: 2, counter: round } });
      return { scores: tensors.scores };
    });
    const expected = Float32Array.from(scores, (_, candidate) => Math.LN2 - drawGumbel(candidate, 1, 2));
    expect(Math.min(...expected)).toBeLessThan(-9);
    expectClose(scores, expected, NOISY_SCORE);
  });

  it("makes the lowest a sample without replacement in proportion to 1 − confidence", () => {
    const confidences = [0.6, 0.9, 0.55, 0.99];
    const weights = confidences.map((confidence) => 1 - confidence);
    const total = weights.reduce((a, b) => a + b);
    const logits = Float32Array.from(confidences.flatMap((confidence) => [0, Math.log(confidence / (1 - confidence))]));
    const rounds = 20_000;
    const first = [0, 0, 0, 0];
    const pairs = new Map<string, number>();
    const [scores, choices] = [new Float32Array(4), new Uint32Array(4)];
    for (let round = 0; round < rounds; round++) {
      const sizes = { batch: 4, perPair: 1, classes: 2, pool: 4 };
      const own = { step: 0, taken: new Uint32Array(4), scores, choices, lambdas: 1, single: undefined };
      scorePairsReference(logits, sizes, { ...own, noise: { seed: 6, round } });
      const [a, b] = [0, 1, 2, 3].sort((left, right) => scores[left] - scores[right]);
      first[a]++;
      pairs.set(`${a} ${b}`, (pairs.get(`${a} ${b}`) ?? 0) + 1);
    }
    // Four standard deviations of a share.
    const expectShare = (seen: number, p: number) => {
      expect(Math.abs(seen / rounds - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / rounds));
    };
    for (const [a, weight] of weights.entries()) {
      expectShare(first[a], weight / total);
      for (const [b, other] of weights.entries()) {
        if (a === b) continue;
        expectShare(pairs.get(`${a} ${b}`) ?? 0, (weight / total) * (other / (total - weight)));
      }
    }
  });
});

describe("scores say what does not fit", () => {
  const attempt = (body: (recorder: Recorder, tensors: TableTensors & { logits: Tensor<"f32"> }) => void) =>
    runKernel(
      devices.cpu,
      { ...table(2), round: u32([0]), logits: f32([2, 3], new Float32Array(6)) },
      (recorder, tensors) => {
        body(recorder, tensors);
        return {};
      },
    );

  it("noise and names", async () => {
    const pairs = (options: Partial<ScorePairsOptions>) =>
      attempt((recorder, tensors) => {
        scorePairs(recorder, tensors.logits, { ...tensors, lambdas: 1, ...options });
      });
    await expect(pairs({ score: "hope" as ScoreName })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: scorePairs: score is "hope"; expected one of confidence, margin, entropy]`,
    );
    await expect(
      attempt((recorder, { round, ...tensors }) => {
        const noise = { seed: 1, counter: round };
        scorePairs(recorder, tensors.logits, { ...tensors, lambdas: 1, score: "margin", noise });
      }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: scorePairs: noise with score "margin"; expected "confidence", which it is defined for]`,
    );
    await expect(
      attempt((recorder, { round, ...tensors }) => {
        scorePairs(recorder, tensors.logits, { ...tensors, lambdas: 1, noise: { seed: -1, counter: round } });
      }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: scorePairs: the noise's seed is -1; expected a whole number from 0 to 4294967295]`,
    );
  });

  it("members", async () => {
    await expect(
      attempt((recorder, tensors) => {
        scoreBelief(recorder, addBelief(recorder, tensors.logits), { ...tensors, lambdas: 1 });
      }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: scoreBelief: members is 1; expected 2 or more, one alone cannot disagree]`,
    );
    await expect(
      attempt((recorder, tensors) => {
        addBelief(recorder, tensors.logits, { sums: tensors.logits, members: 1 });
      }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(`[ShapeError: addBelief: sums is [2, 3]; expected [2, 4]]`);
  });
});
