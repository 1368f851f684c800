import { describe, expect, it } from "vitest";
import {
  blendOnHost,
  defaultDistillOptions,
  distill,
  lambdaWeight,
  localManner,
  mostSteps,
  planRounds,
  specFor,
  stepsOf,
  warpRanges,
  type AnsweredQuery,
  type DistillOptions,
  type Teacher,
} from "../../src/activemixup/index.js";
import { soften } from "../../src/activemixup/soften.js";
import { drawDigits, type ImageSet } from "../../src/data/index.js";
import { blendImages, blendPixels, WHOLE_WEIGHT } from "../../src/kernels/index.js";
import { encodeNetwork, Network } from "../../src/nn/index.js";
import { createTensor, type Device } from "../../src/tensor/index.js";
import { EXACT, expectClose } from "../close.js";
import { useDevices } from "../devices.js";
import { runKernel } from "../kernels/harness.js";
import { BrightnessTeacher, CLASSES } from "./brightness-teacher.js";

const devices = useDevices();

const N = 12;
const digits = drawDigits(N, 1, { size: 12 });
/** Other images than the real ones: what was asked about once is not asked about again. */
const testDigits = drawDigits(N, 2, { size: 12 });
const images: ImageSet = { ...digits, labels: undefined, classes: 0 };

const base: DistillOptions = {
  ...defaultDistillOptions,
  budget: 40,
  rounds: 3,
  steps: 4,
  batch: 8,
  lambdas: [0.3, 0.5, 0.7],
  seed: 5,
};

interface Run {
  readonly answers: AnsweredQuery[];
  readonly teacher: BrightnessTeacher;
  readonly student: Uint8Array;
  readonly queries: number;
  /** Of the last round. */
  readonly loss: number;
}

async function run(device: Device, options: DistillOptions): Promise<Run> {
  const teacher = new BrightnessTeacher();
  const student = new Network(device, specFor("lenet5-half", images, CLASSES), options.seed);
  const answers: AnsweredQuery[] = [];
  const report = await distill({
    images,
    teacher,
    student,
    test: { ...testDigits, name: "test digits" },
    options,
    observer: {
      onAnswers: async (batch) => {
        answers.push(...batch);
      },
    },
  });
  const bytes = await encodeNetwork(student);
  student.dispose();
  return { answers, teacher, student: bytes, queries: report.queries, loss: report.rounds.at(-1)!.loss };
}

describe.each(["cpu", "gpu"] as const)("distill on the %s device", (name) => {
  it.each(["confidence", "confidence-single", "noisy-confidence", "committee", "badge", "random"])(
    "by %s spends the budget, chooses no pair twice, and keeps λ on the grid",
    async (strategy) => {
      const { answers, teacher, queries } = await run(devices[name], { ...base, strategy });
      expect(queries).toBe(base.budget);
      expect(teacher.shown).toHaveLength(base.budget + digits.count); // and the evaluation's images
      expect(answers).toHaveLength(base.budget);
      const blends = answers.filter(({ round }) => round > 0);
      for (const { first, second, lambda } of blends) {
        expect(first).toBeLessThan(second);
        expect(second).toBeLessThan(N);
        expect(base.lambdas).toContain(lambda);
      }
      expect(new Set(blends.map(({ first, second }) => `${first} ${second}`)).size).toBe(blends.length);
      expect(new Set(blends.map(({ lambda }) => lambda)).size).toBeGreaterThan(1);
    },
  );

  it("asks about nothing but the real images with real-only", async () => {
    const { answers, queries } = await run(devices[name], { ...base, strategy: "real-only" });
    expect(queries).toBe(N);
    expect(answers.every(({ first, second }) => first === second)).toBe(true);
  });

  it("can take the whole pool, sampled or not", async () => {
    const all = (N * (N - 1)) / 2;
    const whole = await run(devices[name], { ...base, budget: N + all });
    expect(whole.queries).toBe(N + all);
    const sampled = await run(devices[name], { ...base, pool: 20, budget: N + 20 });
    expect(sampled.queries).toBe(N + 20);
    await expect(run(devices[name], { ...base, pool: 20, budget: N + 21 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: --budget leaves 21 queries for blends and the pool has 20 pairs, each asked about at most once; lower --budget to 32, or raise --pool or --n]`,
    );
  });

  it("gives the same student bit for bit with the same seed, another with another", async () => {
    for (const restart of [false, true]) {
      const [first, second] = [
        await run(devices[name], { ...base, restart }),
        await run(devices[name], { ...base, restart }),
      ];
      expect(second.student).toEqual(first.student);
      expect(second.answers).toEqual(first.answers);
    }
    const other = await run(devices[name], { ...base, seed: 6 });
    expect(other.student).not.toEqual((await run(devices[name], base)).student);
  });

  it("trains on the real images oftener where their share is to be larger than their number gives", async () => {
    const student = async (realShare?: number) =>
      (await run(devices[name], { ...base, strategy: "random", realShare })).student;
    const plain = await student();
    // 12 of the 40 images are real, and more than that of those of earlier rounds.
    expect(await student(0.3)).toEqual(plain);
    expect(await student(0.75)).not.toEqual(plain);
    await expect(student(1.5)).rejects.toThrow("--real-share is 1.5; expected a share from 0 to 1");
    await expect(run(devices[name], { ...base, realShare: 0.4, batch: 1 })).rejects.toThrow(
      "--real-share 0.4 of a --batch of 1 image is none; raise --batch, or leave it out",
    );
  });

  it("warps training images in the first rounds alone, where told so", async () => {
    const warp = warpRanges("elastic", 1, false);
    const student = async (more: Partial<DistillOptions>) =>
      (await run(devices[name], { ...base, strategy: "random", augmentation: { crop: 0, flip: false, warp }, ...more }))
        .student;
    const always = await student({});
    const never = await student({ augmentation: { crop: 0, flip: false } });
    const first = await student({ augmentRounds: 1 });
    expect(first).not.toEqual(always);
    expect(first).not.toEqual(never);
    expect(await student({ augmentRounds: 4 })).toEqual(always);
    // Begun anew each round, the student has seen nothing of the first.
    const anew = { restart: true, augmentation: { crop: 0, flip: false } };
    expect(await student({ augmentRounds: 3, restart: true })).toEqual(await student(anew));
    await expect(student({ augmentRounds: 0 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: --augment-rounds is 0; expected a whole number from 1 up]`,
    );
  });

  it("ends each round with the mean of the weights over its last steps, where told so", async () => {
    const student = async (more: Partial<DistillOptions>) =>
      (await run(devices[name], { ...base, strategy: "real-only", steps: 3, ...more })).student;
    expect(await student({ average: 0.5 })).not.toEqual(await student({}));
    await expect(student({ average: 0 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: --average is 0; expected a share above 0 and at most 1]`,
    );
  });

  it("trains on answers that are softened, towards their entropy and not below", async () => {
    const options = {
      ...base,
      strategy: "real-only",
      temperature: 4,
      steps: 100,
      augmentation: { crop: 0, flip: false },
    };
    const { loss, answers } = await run(devices[name], options);
    const softened = soften(answers[0].label, CLASSES, options.temperature);
    const entropy = softened.reduce((sum, p) => sum - p * Math.log(p), 0);
    expect(loss).toBeGreaterThan(entropy - 1e-4);
    expect(loss).toBeLessThan((entropy + Math.log(CLASSES)) / 2);
  });

  it("trains at a temperature, within its range", async () => {
    const student = async (temperature?: number) =>
      (await run(devices[name], { ...base, strategy: "random", temperature })).student;
    const plain = await student();
    expect(await student(1)).toEqual(plain);
    expect(await student(4)).not.toEqual(plain);
    await expect(student(0.5)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: --temperature is 0.5; expected a number from 1 to 100]`,
    );
  });

  it("trains the student on the very pixels that the teacher was shown", async () => {
    const { answers, teacher } = await run(devices[name], { ...base, strategy: "random" });
    const shown = teacher.shown.slice(digits.count);
    const numbers = (pick: (answer: AnsweredQuery) => number) => ({
      shape: [answers.length],
      dtype: "u32" as const,
      data: answers.map(pick),
    });
    const inputs = {
      real: { shape: [N, 1, 12, 12], dtype: "u8" as const, data: images.pixels },
      first: numbers(({ first }) => first),
      second: numbers(({ second }) => second),
      weight: numbers(({ lambda }) => lambdaWeight(lambda)),
    };
    const scale = { mean: [0.2], std: [0.4] };
    const { pixels, normalised } = await runKernel(devices[name], inputs, (recorder, { real, ...blend }) => ({
      pixels: blendPixels(recorder, real, blend),
      normalised: blendImages(recorder, real, blend, scale),
    }));
    const expected = Uint8Array.from(shown.flatMap((image) => [...image]));
    expectClose(pixels, expected, EXACT);
    const back = Array.from(normalised, (value) => Math.round((value * 0.4 + 0.2) * 255));
    expectClose(back, expected, EXACT);
    expectClose(blendOnHost(images.pixels, 144, answers), expected, EXACT);
  });

  it.each(["confidence", "noisy-confidence", "committee", "badge"])(
    "leaves no memory behind, by %s",
    async (strategy) => {
      const device = devices[name];
      const before = device.stats();
      await run(device, { ...base, strategy, budget: N + 6, rounds: 2 });
      await run(device, { ...base, strategy, budget: N + 3, rounds: 1, candidates: "mixture", pool: 20 });
      const { liveBuffers, liveBytes } = device.stats();
      expect({ liveBuffers, liveBytes }).toEqual({ liveBuffers: before.liveBuffers, liveBytes: before.liveBytes });
    },
  );
});

describe("confidence", () => {
  it("chooses the pairs of lowest confidence: the same on both devices while the student is the same", async () => {
    // One round: both students saw the same data for few enough steps that f32 differences change no choice.
    const options = { ...base, budget: N + 5, rounds: 1, steps: 1 };
    const choices = async (device: Device) => (await run(device, options)).answers.filter(({ round }) => round === 1);
    const [cpu, gpu] = [await choices(devices.cpu), await choices(devices.gpu)];
    const pair = ({ first, second, lambda }: AnsweredQuery) => ({ first, second, lambda });
    expect(gpu.map(pair)).toEqual(cpu.map(pair));
    for (const [index, { confidence }] of gpu.entries()) {
      expect(confidence).toBeCloseTo(cpu[index].confidence!, 5);
      if (index > 0) expect(confidence).toBeGreaterThanOrEqual(gpu[index - 1].confidence!);
    }
  });
});

describe("planRounds", () => {
  it("spreads the budget left over the rounds", () => {
    expect(planRounds(100, { ...base, budget: 300, rounds: 3 })).toEqual([100, 67, 67, 66]);
    expect(planRounds(100, { ...base, budget: 300, perRound: 90 })).toEqual([100, 90, 90, 20]);
    expect(planRounds(100, { ...base, budget: 100 })).toEqual([100]);
    expect(planRounds(100, { ...base, budget: 102, rounds: 5 })).toEqual([100, 1, 1]);
    expect(planRounds(100, { ...base, budget: 300, strategy: "real-only" })).toEqual([100]);
  });

  it("asks by the end of each round about as many as the totals say", () => {
    const options = { ...base, budget: 400, totals: [150, 300, 400] };
    expect(planRounds(100, options)).toEqual([100, 50, 150, 100]);
    expect(planRounds(80, options, 20)).toEqual([80, 50, 150, 100]);
    expect(() => planRounds(100, { ...options, totals: [100, 200] })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: --totals holds 100 after 100; expected growing numbers, each above the one before, from above --n 100]`,
    );
    expect(() => planRounds(100, { ...options, totals: [300, 200] })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: --totals holds 200 after 300; expected growing numbers, each above the one before, from above --n 100]`,
    );
    expect(() => planRounds(100, { ...options, reserve: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: --totals ends with 400, and the budget covers 399; raise --budget or lower the last]`,
    );
    expect(() => planRounds(100, { ...options, budget: 100 })).toThrow(
      "--totals ends with 400, and the budget covers 100",
    );
  });

  it("gives each round its training steps", () => {
    const steps = [10, 20, 30];
    expect([0, 1, 2].map((round) => stepsOf(round, 1000, { ...base, steps }))).toEqual(steps);
    expect(mostSteps([100, 50, 50], { ...base, steps })).toBe(30);
    expect(mostSteps([100, 50, 50], { ...base, steps: undefined, epochs: 2, batch: 10 })).toBe(40);
  });

  it("refuses what cannot be meant", () => {
    expect(() => planRounds(100, { ...base, budget: 99 })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: --budget is 99 and --n is 100: the real images alone take 100 queries; raise --budget or lower --n]`,
    );
    expect(() => planRounds(100, { ...base, budget: 300, strategy: "best" })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: no strategy is called "best"; choose one of confidence, confidence-single, noisy-confidence, margin, entropy, bald, committee, badge, random, real-only]`,
    );
    expect(() => planRounds(100, { ...base, budget: 300, lambdas: [0.5, 1] })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: --lambdas holds 1; expected numbers between 0 and 1, where a blend is none of its two]`,
    );
    expect(() => planRounds(100, { ...base, budget: 4e9, perRound: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: the budget would be spent in 3999999900 rounds; expected at most 10000]`,
    );
  });
});

describe("distill", () => {
  it("refuses students, teachers and test sets that do not fit, before it asks anything", async () => {
    const teacher = new BrightnessTeacher();
    const attempt = (spec: Parameters<typeof specFor>, test?: ImageSet) =>
      distill({ images, teacher, student: new Network(devices.cpu, specFor(...spec), 0), test, options: base });
    const other = { ...drawDigits(3, 1, { size: 14 }), name: "other digits" };
    await expect(attempt(["lenet5", other, CLASSES])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: the student lenet5 takes images of 1 × 14 × 14; drawn digits, seed 1 holds 1 × 12 × 12: give images of the student's size, or another student]`,
    );
    await expect(attempt(["lenet5", images, 7])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: the student lenet5 has 7 classes and the teacher 10; they have to be the same]`,
    );
    await expect(attempt(["lenet5", images, CLASSES], other)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: other digits holds images of 1 × 14 × 14; drawn digits, seed 1 of 1 × 12 × 12: give test images of the same size]`,
    );
    await expect(
      attempt(["lenet5", images, CLASSES], { ...digits, name: "test digits", classes: 11 }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: test digits has 11 classes and the teacher 10; give a test set with the teacher's classes]`,
    );
    await expect(attempt(["lenet5", images, CLASSES], { ...digits, name: images.name })).rejects.toThrow(
      "is trained on and cannot be tested on",
    );
    const wrong = (change: Partial<DistillOptions>) =>
      distill({
        images,
        teacher,
        student: new Network(devices.cpu, specFor("lenet5", images, CLASSES), 0),
        options: { ...base, ...change },
      });
    await expect(wrong({ augmentation: { crop: 12, flip: false } })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: --crop is 12; expected less than the images' 1 × 12 × 12 pixels]`,
    );
    await expect(wrong({ schedule: { kind: "constant", rate: -1 } })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: --rate and --schedule: rate is -1, expected a number above 0 within f32; correct it]`,
    );
    await expect(wrong({ steps: 2 ** 30 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: --epochs or --steps give more than 16777216 training steps in a round; lower them]`,
    );
    expect(teacher.shown).toHaveLength(0);
  });

  it("refuses answers that are no probabilities", async () => {
    const teacher: Teacher = {
      name: "wrong",
      classes: CLASSES,
      manner: localManner,
      query: ({ count }) => Promise.resolve(Array.from({ length: count }, () => new Float32Array(CLASSES).fill(0.2))),
    };
    const student = new Network(devices.cpu, specFor("lenet5-half", images, CLASSES), 0);
    await expect(distill({ images, teacher, student, options: base })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: the teacher wrong gave no answer to query 49501d595fcba5a319427c5e0d3d530cfb16fc3ceac4f707ee5c45e56a49b2d2 in 1 attempt: the probabilities sum to 2.0000000298023224; expected 1, within 0.001; mend the teacher, or leave such images out (--skip-unanswered), then go on from what is kept (distill --resume)]`,
    );
  });

  it("stops where the student diverges, instead of spending on", async () => {
    const student = new Network(devices.cpu, specFor("lenet5-half", images, CLASSES), 0);
    const options: DistillOptions = {
      ...base,
      optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 0, nesterov: false },
      schedule: { kind: "constant", rate: 1e30 },
    };
    const teacher = new BrightnessTeacher();
    await expect(distill({ images, teacher, student, options })).rejects.toThrow(/^the student diverged in round 0/);
    expect(teacher.shown).toHaveLength(N);
  });

  it("stops where the student gives no confidences, before it asks about blends chosen by them", async () => {
    const student = new Network(devices.cpu, specFor("lenet5-half", images, CLASSES), 0);
    // The loss of the only step is that of the student before it.
    const options: DistillOptions = { ...base, steps: 1, restart: true, schedule: { kind: "constant", rate: 1e30 } };
    const teacher = new BrightnessTeacher();
    await expect(distill({ images, teacher, student, options })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: the student diverged in round 0: its confidence in a blend is Infinity; lower --rate]`,
    );
    expect(teacher.shown).toHaveLength(N);
    const other = new Network(devices.cpu, specFor("lenet5-half", images, CLASSES), 0);
    const byMargin = distill({ images, teacher, student: other, options: { ...options, strategy: "margin" } });
    await expect(byMargin).rejects.toThrow("diverged in round 0: its score of a candidate is Infinity; lower --rate");
    expect(teacher.shown).toHaveLength(2 * N);
  });

  it("stops between steps when told to, and frees its memory", async () => {
    const interrupt = new AbortController();
    const student = new Network(devices.gpu, specFor("lenet5-half", images, CLASSES), 0);
    const before = devices.gpu.stats().liveBuffers;
    const observer = {
      onProgress: () => {
        interrupt.abort(new Error("enough"));
      },
    };
    const { signal } = interrupt;
    const teacher = new BrightnessTeacher();
    const report = await distill({ images, teacher, student, options: base, observer, signal });
    expect(report).toMatchObject({ interrupted: true, queries: N, rounds: [] });
    expect(devices.gpu.stats().liveBuffers).toBe(before);
    student.dispose();
  });
});

describe("a steady training step", () => {
  it("creates no buffer, bind group or pipeline, many steps go in one submit, and nothing is read", async () => {
    const { Examples, Trainer, plainAdam } = await import("../../src/nn/index.js");
    const device = devices.gpu;
    const pixels = createTensor(device, [N, 1, 12, 12], { dtype: "u8", data: images.pixels });
    const network = new Network(device, specFor("lenet5", images, CLASSES), 0);
    const examples = new Examples(device, pixels, N, CLASSES);
    examples.set(
      Array.from({ length: N }, (_, image) => ({ first: image, second: image, weight: WHOLE_WEIGHT })),
      new Float32Array(N * CLASSES).fill(1 / CLASSES),
    );
    const options = { batch: 4, optimizer: plainAdam, augmentation: { crop: 1, flip: true }, seed: 0 };
    const trainer = await Trainer.create(network, examples, options, 100);
    trainer.recording.run(1);
    await device.finish();
    const before = device.stats();
    trainer.recording.run(100);
    await device.finish();
    const after = device.stats();
    const launches = trainer.recording.launches.length;
    expect(after).toEqual({ ...before, submits: before.submits + 1, dispatches: before.dispatches + 100 * launches });
    trainer.dispose();
    examples.dispose();
    network.dispose();
    pixels.dispose();
  });
});
