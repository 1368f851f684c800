import { expect, it } from "vitest";
import {
  defaultDistillOptions,
  distill,
  divergence,
  holdOut,
  largest,
  likeliest,
  shownPixels,
  specFor,
  warpRanges,
  type Checkpoint,
  type DistillOptions,
} from "../../src/activemixup/index.js";
import { compare } from "../../src/activemixup/comparison.js";
import { meanBelief } from "../../src/activemixup/beliefs.js";
import { drawDigits } from "../../src/data/index.js";
import { Network, Predictor } from "../../src/nn/index.js";
import { openDevice } from "../../src/tensor/index.js";
import { BrightnessTeacher, CLASSES } from "./brightness-teacher.js";

const all = { ...drawDigits(24, 1, { size: 12 }), labels: undefined };

const base: DistillOptions = {
  ...defaultDistillOptions,
  ...{ budget: 50, rounds: 2, steps: 6, batch: 8, lambdas: [0.3, 0.5], seed: 5 },
};

const composed: DistillOptions = {
  ...base,
  candidates: "mixture",
  candidateWarps: warpRanges("elastic", 1, false),
  pool: 40,
};

it.each([
  ["blends", base],
  ["compositions", composed],
  ["chance", { ...base, strategy: "random", restart: true }],
] as const)(
  "tell what the student said of what it chose, of %s, before it was trained on that and after",
  async (_, options) => {
    const device = await openDevice("cpu");
    const { images, held } = holdOut(all, 0.25, options.seed);
    const spec = specFor("lenet5-half", images, CLASSES);
    const student = new Network(device, spec, options.seed);
    const teacher = new BrightnessTeacher();
    const checkpoints: Checkpoint[] = [];
    await distill({
      ...{ images, holdout: held, student, options, teacher },
      observer: {
        onRound: (_round, _soFar, checkpoint) => {
          checkpoints.push(checkpoint);
          return Promise.resolve();
        },
      },
    });
    const { answers, rounds, comparison } = checkpoints.at(-1)!;

    // The pixels that a report shows are those that the teacher saw; held-out images were asked about first.
    const shown = shownPixels(images, answers, options);
    expect(Buffer.from(shown).equals(Buffer.concat(teacher.shown.slice(held!.count)))).toBe(true);

    const size = shown.length / answers.length;
    const predictor = await Predictor.create(student, 64);
    const said = async (after: Checkpoint, pixels: Uint8Array) => {
      student.load(after.student, "the checkpoint");
      const { labels, probabilities } = await predictor.predict(pixels);
      return Array.from(labels, (label, image) => ({ label, confidence: probabilities[image * CLASSES + label] }));
    };
    for (const { round, chosen } of rounds) {
      const own = answers.filter((answer) => answer.round === round);
      if (round === 0) {
        expect(chosen).toBeUndefined();
        for (const { before, after } of own) expect([before, after]).toEqual([undefined, undefined]);
        continue;
      }
      const start = answers.indexOf(own[0]);
      const pixels = shown.subarray(start * size, (start + own.length) * size);
      const before = await said(checkpoints[round - 1], pixels);
      const after = await said(checkpoints[round], pixels);
      expect(own.map((answer) => answer.before)).toEqual(before);
      expect(own.map((answer) => answer.after)).toEqual(after);
      const labels = own.map(({ label }) => label);
      expect(chosen).toEqual({ before: meanBelief(before, labels), after: meanBelief(after, labels) });
    }

    // The comparison is of the student that is kept.
    const kept = checkpoints.at(-1)!.best!;
    student.load(kept, "the best");
    const { probabilities } = await predictor.predict(held!.pixels);
    const expected = teacher.shown.slice(0, held!.count);
    expect(comparison).toMatchObject({ on: "holdout", against: "teacher", images: held!.count });
    const agreed = comparison!.confusion.filter((pair) => pair.expected === pair.student);
    const score = rounds[comparison!.round].holdout!.agreement.value;
    expect(agreed.reduce((sum, pair) => sum + pair.images, 0)).toBe(Math.round(score * held!.count));
    const row = (image: number) => probabilities.subarray(image * CLASSES, (image + 1) * CLASSES);
    const [first] = comparison!.differing;
    const [answer] = await teacher.query({ count: 1, pixels: expected[first.image] } as never);
    expect(first.divergence).toBeCloseTo(divergence(answer, row(first.image)), 10);
    expect(first.student).toEqual(likeliest(row(first.image)));
    predictor.dispose();
    student.dispose();
    device.destroy();
  },
);

it("compare by class, the images apart most first, and leave out what has no answer", () => {
  const expected = [Float32Array.of(1, 0), undefined, Float32Array.of(0.25, 0.75), Float32Array.of(0, 1)];
  const probabilities = Float32Array.of(0.75, 0.25, 0.5, 0.5, 0.25, 0.75, 0.875, 0.125);
  const predicted = { probabilities, labels: largest(probabilities, 2) };
  const about = { on: "test", against: "teacher", round: 2 } as const;
  expect(compare({ numbers: [10, 11, 12, 13], expected, predicted }, about)).toEqual({
    ...about,
    images: 3,
    confusion: [
      { expected: 0, student: 0, images: 1 },
      { expected: 1, student: 0, images: 1 },
      { expected: 1, student: 1, images: 1 },
    ],
    differing: [
      {
        image: 13,
        expected: [{ label: 1, share: 1 }],
        student: likeliest([0.875, 0.125]),
        divergence: Math.log(8),
      },
      { image: 10, expected: [{ label: 0, share: 1 }], student: likeliest([0.75, 0.25]), divergence: Math.log(4 / 3) },
      { image: 12, expected: likeliest([0.25, 0.75]), student: likeliest([0.25, 0.75]), divergence: 0 },
    ],
  });
});

it("have no mean of nothing, and leave out what ran out of range", () => {
  const labels = [Float32Array.of(0, 1), Float32Array.of(0, 1), Float32Array.of(1, 0)];
  expect(meanBelief([], [])).toBeUndefined();
  expect(meanBelief([undefined], labels)).toBeUndefined();
  const beliefs = [{ label: 1, confidence: 0.75 }, undefined, { label: 1, confidence: 0.25 }];
  expect(meanBelief(beliefs, labels)).toEqual({ confidence: 0.5, agreement: 0.5 });
});
