import { describe, expect, it } from "vitest";
import {
  BadgeAcquisition,
  ComposedCandidates,
  PairCandidates,
  specFor,
  warpRanges,
  type Choice,
} from "../../src/activemixup/index.js";
import { drawDigits, type ImageSet } from "../../src/data/index.js";
import { embedGradients, embeddingShape } from "../../src/kernels/index.js";
import { Network, Predictor } from "../../src/nn/index.js";
import { createTensor, readTensor, record, writeTensor, type Device } from "../../src/tensor/index.js";
import { expectClose, f32Tolerance } from "../close.js";
import { useDevices } from "../devices.js";

const devices = useDevices();

const SIDE = 12;
const lambdas = [0.3, 0.5, 0.7];

interface Setting {
  /** Real images. */
  readonly count?: number;
  readonly pool?: number;
  readonly badgeSample?: number | undefined;
  readonly seed?: number;
  readonly taken?: readonly number[];
}

/** A student that has seen nothing, the pairs of some digits, and what chooses from them. */
async function prepare(device: Device, { count = 20, pool, badgeSample, seed = 3, taken = [] }: Setting) {
  const images: ImageSet = { ...drawDigits(count, 4, { size: SIDE }), labels: undefined, classes: 0 };
  const student = new Network(device, specFor("lenet5-half", images, 10), 1);
  const pixels = createTensor(device, [count, 1, SIDE, SIDE], { dtype: "u8", data: images.pixels });
  const candidates = new PairCandidates(images, pixels, { lambdas, pool, seed, single: true });
  for (const place of taken) candidates.take(place);
  const acquisition = await BadgeAcquisition.create({ candidates, student, seed, badgeSample });
  const dispose = () => {
    for (const one of [acquisition, candidates, student, pixels]) one.dispose();
  };
  return { student, candidates, acquisition, dispose };
}

async function choose(device: Device, setting: Setting, k: number, round = 1): Promise<Choice[]> {
  const { acquisition, dispose } = await prepare(device, setting);
  const choices = await acquisition.select(k, round, {});
  dispose();
  return choices;
}

/** The student's confidence in images of 8 bits. */
async function confidences(student: Network, pixels: Uint8Array): Promise<number[]> {
  const count = pixels.length / SIDE ** 2;
  const predictor = await Predictor.create(student, count);
  const { probabilities } = await predictor.predict(pixels);
  predictor.dispose();
  return Array.from({ length: count }, (_, row) => Math.max(...probabilities.subarray(10 * row, 10 * row + 10)));
}

describe.each(["cpu", "gpu"] as const)("badge on the %s device", (name) => {
  it("chooses each candidate once, none that was taken, and sees it as the teacher will", async () => {
    const taken = [0, 1, 2, 3, 50, 119];
    const { student, candidates, acquisition, dispose } = await prepare(devices[name], {
      pool: 120,
      badgeSample: 90,
      taken,
    });
    const choices = await acquisition.select(40, 1, {});
    const places = choices.map(({ candidate }) => candidate);
    expect(new Set([...places, ...taken]).size).toBe(46);
    expect(new Set(choices.map(({ lambda }) => lambda))).toEqual(new Set(lambdas));
    for (const { candidate, first, second } of choices)
      expect(candidates.choice(candidate, 0)).toMatchObject({ first, second });

    expectClose(
      choices.map(({ confidence }) => confidence!),
      await confidences(student, candidates.pixels(choices)),
      f32Tolerance(10),
      "confidence",
    );
    dispose();
  });

  it("repeats, and differs by round and by seed", async () => {
    const setting = { badgeSample: 60 };
    const once = await choose(devices[name], setting, 12);
    expect(await choose(devices[name], setting, 12)).toEqual(once);
    expect(await choose(devices[name], setting, 12, 2)).not.toEqual(once);
    expect(await choose(devices[name], { ...setting, seed: 4 }, 12)).not.toEqual(once);
    // Of all pairs the sample is the same in each round, and the picks alone differ.
    const all = { badgeSample: 190 };
    expect(await choose(devices[name], all, 12, 2)).not.toEqual(await choose(devices[name], all, 12));
  });

  it("chooses anew in each round by the weights of then, k differing too", async () => {
    const { acquisition, student, dispose } = await prepare(devices[name], { badgeSample: 60 });
    const first = await acquisition.select(12, 1, {});
    student.initialise(9);
    const other = await acquisition.select(12, 1, {});
    expect(other).not.toEqual(first);
    student.initialise(1);
    expect(await acquisition.select(12, 1, {})).toEqual(first);
    expect((await acquisition.select(5, 1, {})).map(({ candidate }) => candidate)).toEqual(
      first.slice(0, 5).map(({ candidate }) => candidate),
    );
    dispose();
  });

  it("draws as many as it has to choose, and can choose all that are left", async () => {
    const more = await choose(devices[name], { badgeSample: 5 }, 30);
    expect(new Set(more.map(({ candidate }) => candidate)).size).toBe(30);
    const all = await choose(devices[name], { pool: 25, taken: [4, 7] }, 23);
    expect(new Set([4, 7, ...all.map(({ candidate }) => candidate)]).size).toBe(25);
  });

  it("owns to a student that is no number any more", async () => {
    const { acquisition, student, dispose } = await prepare(devices[name], { badgeSample: 20 });
    writeTensor(student.values, new Float32Array(student.values.size).fill(NaN));
    const choices = await acquisition.select(3, 1, {});
    expect(choices.map(({ confidence }) => confidence)).toEqual([Infinity, Infinity, Infinity]);
    dispose();
  });
});

describe("badge", () => {
  it("goes on from batch to batch, and begins with the longest gradient of all", async () => {
    const device = devices.gpu;
    const { acquisition, candidates, student, dispose } = await prepare(device, { count: 50 });
    expect(candidates.batch).toBeLessThan(candidates.size);
    const told: number[] = [];
    const choices = await acquisition.select(candidates.size, 1, { onProgress: (done) => told.push(done) });
    expect(new Set(choices.map(({ candidate }) => candidate)).size).toBe(candidates.size);
    expect(told.at(-1)).toBe(candidates.size);
    expect(told).toEqual(told.toSorted((a, b) => a - b));

    // The gradients of all choices by their own pixels, in one batch.
    const count = choices.length;
    const input = createTensor(device, [count, 1, SIDE, SIDE], {
      data: Float32Array.from(candidates.pixels(choices), (pixel) => {
        const { mean, deviation } = student.spec;
        return (pixel / 255 - mean[0]) / deviation[0];
      }),
    });
    const counter = createTensor(device, [1], { dtype: "u32", data: [0] });
    const shape = embeddingShape({ candidates: count, classes: 10, features: 84 });
    const embeddings = createTensor(device, shape);
    const recording = await record(device, (recorder) => {
      const { output, features } = student.forwardWithFeatures({ recorder, training: false, seed: 0 }, input);
      embedGradients(recorder, output, features, { counter, candidates: count, embeddings });
    });
    recording.run();
    const norms = (await readTensor(embeddings)).subarray(94 * shape[1], 94 * shape[1] + count);
    expectClose([norms[0]], [Math.max(...norms)], f32Tolerance(84), "norm of the first");
    for (const one of [recording, input, counter, embeddings]) one.dispose();
    dispose();
  });

  it("sees compositions as the teacher will, and chooses each once", async () => {
    for (const device of [devices.cpu, devices.gpu]) {
      const images: ImageSet = { ...drawDigits(9, 4, { size: SIDE }), labels: undefined, classes: 0 };
      const student = new Network(device, specFor("lenet5-half", images, 10), 1);
      const pixels = createTensor(device, [9, 1, SIDE, SIDE], { dtype: "u8", data: images.pixels });
      const kinds = ["warp", "mix", "cutmix"] as const;
      const options = { kinds, warps: warpRanges("affine", 1, false), pool: 300, seed: 2 };
      const candidates = new ComposedCandidates(images, pixels, options);
      const acquisition = await BadgeAcquisition.create({ candidates, student, seed: 2, badgeSample: 280 });
      const numbers: number[] = [];
      for (const round of [1, 2]) {
        candidates.begin(round);
        const choices = await acquisition.select(30, round, {});
        expect(new Set(choices.map(({ kind }) => kind))).toEqual(new Set(kinds));
        expectClose(
          choices.map(({ confidence }) => confidence!),
          await confidences(student, candidates.pixels(choices)),
          f32Tolerance(10),
          "confidence",
        );
        numbers.push(...choices.map(({ candidate }) => candidate));
      }
      expect(new Set(numbers).size).toBe(60);
      for (const one of [acquisition, candidates, student, pixels]) one.dispose();
    }
  });

  it("says what its sample may be", async () => {
    await expect(choose(devices.cpu, { badgeSample: 0 }, 1)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: --badge-sample is 0; expected a whole number of candidates from 1 up]`,
    );
    await expect(choose(devices.cpu, { badgeSample: 1.5 }, 1)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: --badge-sample is 1.5; expected a whole number of candidates from 1 up]`,
    );
  });
});
