import { describe, expect, it } from "vitest";
import {
  ComposedCandidates,
  planDistill,
  specFor,
  warpRanges,
  defaultDistillOptions,
  type CompositionKind,
} from "../../src/activemixup/index.js";
import { drawComposition, tabulate } from "../../src/activemixup/candidates/composition.js";
import { exampleOfBlend, exampleOfRow, TrainingImages } from "../../src/activemixup/training-images.js";
import { drawDigits, sampleImages } from "../../src/data/index.js";
import { WHOLE_WEIGHT } from "../../src/kernels/index.js";
import { Network } from "../../src/nn/index.js";
import { createTensor, readTensor, record, writeTensor } from "../../src/tensor/index.js";
import { EXACT, expectClose } from "../close.js";
import { useDevices } from "../devices.js";
import { BrightnessTeacher, CLASSES } from "./brightness-teacher.js";

const devices = useDevices();

const N = 7;
const SIDE = 14;
const SIZE = SIDE * SIDE;
const images = { ...drawDigits(N, 3, { size: SIDE }), labels: undefined };
const all: CompositionKind[] = ["warp", "mix", "cutmix"];
const draw = (candidate: number, kinds = all, seed = 1) =>
  drawComposition(candidate, { kinds, count: N }, { height: 28, width: 20 }, seed);

describe("drawComposition", () => {
  const drawn = Array.from({ length: 3000 }, (_, candidate) => draw(candidate));

  it("takes the kinds in turns, and each image as often as any other", () => {
    expect(drawn.slice(0, 4).map(({ kind }) => kind)).toEqual(["warp", "mix", "cutmix", "warp"]);
    for (const pick of ["first", "second"] as const) {
      for (let image = 0; image < N; image++) {
        const share = drawn.filter((composition) => composition[pick] === image).length / drawn.length;
        expect(share).toBeCloseTo(1 / N, 1);
      }
    }
  });

  it("warps one image, and joins two that differ", () => {
    for (const { kind, first, second, lambda, box } of drawn) {
      expect(first === second).toBe(kind === "warp");
      if (kind === "warp") expect(lambda).toBe(1);
      expect(box !== undefined).toBe(kind === "cutmix");
    }
  });

  it("keeps at least half of a mix's first image, at any λ of that range", () => {
    const lambdas = drawn.filter(({ kind }) => kind === "mix").map(({ lambda }) => lambda);
    expect(Math.min(...lambdas)).toBeGreaterThanOrEqual(0.5);
    expect(Math.min(...lambdas)).toBeLessThan(0.51);
    expect(Math.max(...lambdas)).toBeLessThanOrEqual(1);
    expect(Math.max(...lambdas)).toBeGreaterThan(0.99);
  });

  it("cuts boxes within the image, whose area is what λ leaves", () => {
    for (const { lambda, box } of drawn.filter(({ kind }) => kind === "cutmix")) {
      const [top, left, bottom, right] = box!;
      expect(Math.min(top, left)).toBeGreaterThanOrEqual(0);
      expect(bottom).toBeLessThanOrEqual(28);
      expect(right).toBeLessThanOrEqual(20);
      expect(1 - ((bottom - top) * (right - left)) / 560).toBeCloseTo(lambda, 10);
      expect(lambda).toBeGreaterThan(0.25);
      expect(lambda).toBeLessThan(0.75);
    }
  });

  it("gives the same for a number and a seed, and others for others", () => {
    expect(draw(5)).toEqual(draw(5));
    expect(draw(5, all, 2)).not.toEqual(draw(5));
    expect(draw(8)).not.toEqual(draw(5));
  });

  it("is put into a table: a cutmix by its box, not by its weight", () => {
    const table = tabulate([drawn[0], drawn[1], drawn[2]], [0, 1, 2]);
    const [top, left, bottom, right] = drawn[2].box!;
    expect([...table.box]).toEqual([0, 0, 0, 0, top + 65536 * bottom, left + 65536 * right]);
    expect([...table.weight]).toEqual([WHOLE_WEIGHT, Math.round(drawn[1].lambda * WHOLE_WEIGHT), WHOLE_WEIGHT]);
    expect([...table.keys]).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe.each(["cpu", "gpu"] as const)("compositions on the %s device", (name) => {
  it("are the same pixels for the student as for the teacher, in every round", async () => {
    const device = devices[name];
    const tensor = createTensor(device, [N, 1, SIDE, SIDE], { dtype: "u8", data: images.pixels });
    const student = new Network(device, specFor("lenet5-half", images, CLASSES), 1);
    const warps = warpRanges("elastic", 1, true);
    const candidates = new ComposedCandidates(images, tensor, { kinds: all, warps, pool: 10, seed: 4 });
    const counter = createTensor(device, [1], { dtype: "u32" });
    const recording = await record(device, (recorder) => recorder.keep(candidates.record(recorder, counter, student)));
    const view = await candidates.view(student);
    const seen: Uint8Array[] = [];
    for (const round of [1, 2]) {
      candidates.begin(round);
      await view.refresh({});
      writeTensor(counter, [0]);
      recording.run();
      const { mean, deviation } = student.spec;
      const pixels = (await readTensor(recording.result)).map((value) =>
        Math.round((value * deviation[0] + mean[0]) * 255),
      );
      const choices = Array.from({ length: 10 }, (_, place) => candidates.choice(place));
      const shown = candidates.pixels(choices);
      expectClose(pixels, shown, EXACT);
      seen.push(shown);
      // Whatever the round by then, an earlier choice is what it was.
      candidates.begin(round + 1);
      expect(candidates.pixels(choices)).toEqual(shown);
    }
    expect(seen[1]).not.toEqual(seen[0]);
    recording.dispose();
    candidates.dispose();
    student.dispose();
    tensor.dispose();
    counter.dispose();
  });

  it("are trained on as they were shown", async () => {
    const table = new TrainingImages(devices[name], images, 2);
    const odd = Uint8Array.from({ length: SIZE }, (_, pixel) => (7 * pixel) % 256);
    expect(table.keep(odd)).toBe(N);
    table.upload();
    expect(table.keep(images.pixels.subarray(0, SIZE))).toBe(N + 1);
    table.upload();
    const pixels = await readTensor(table.tensor);
    expect(pixels.subarray(0, N * SIZE)).toEqual(new Uint8Array(images.pixels));
    expect(pixels.subarray(N * SIZE, (N + 1) * SIZE)).toEqual(odd);
    expect(pixels.subarray((N + 1) * SIZE)).toEqual(images.pixels.slice(0, SIZE));
    expect(await readTensor(table.real)).toEqual(new Uint8Array(images.pixels));
    table.dispose();
  });
});

describe("an example", () => {
  it("is a row by itself, or a blend of two", () => {
    expect(exampleOfRow(9)).toEqual({ first: 9, second: 9, weight: WHOLE_WEIGHT });
    expect(exampleOfBlend({ first: 1, second: 2, lambda: 0.25 })).toEqual({ first: 1, second: 2, weight: 16384 });
  });
});

describe("planDistill", () => {
  const plan = (more: object, count = N) => {
    const student = new Network(devices.gpu, specFor("lenet5-half", images, CLASSES), 1);
    const few = sampleImages(images, count, 0);
    const options = { ...defaultDistillOptions, budget: 40, rounds: 2, ...more };
    try {
      return planDistill({ images: few, student, teacher: new BrightnessTeacher(), options });
    } finally {
      student.dispose();
    }
  };

  it("lets compositions be more than there are pairs", () => {
    expect(plan({ candidates: "mixture" })).toEqual([7, 17, 16]);
    expect(plan({ candidates: "warp" }, 1)).toEqual([1, 20, 19]);
  });

  it("refuses what cannot be", () => {
    expect(() => plan({ candidates: "mixture", pool: 16 })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: a round takes 17 images and --pool gives it 16 candidates; raise --pool, or make more rounds]`,
    );
    expect(() => plan({ candidates: "cutmix" }, 1)).toThrowErrorMatchingInlineSnapshot(
      `[InputError: --candidates cutmix needs two images, and --n leaves 1; raise --n]`,
    );
    expect(() => plan({ candidates: "best" })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: no candidates are called "best"; choose one of mix, warp, cutmix, mixture]`,
    );
    expect(() => plan({ candidates: "warp", pool: 4e9 })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: --pool is 4000000000 in each of 2 rounds; expected at most 16777216 on this device]`,
    );
    expect(() => plan({ strategy: "badge", badgeSample: 5e5 })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: --strategy badge keeps the gradients of 500000 candidates, 190000000 bytes, and the device takes 134217728; lower --badge-sample, or make more rounds]`,
    );
    expect(() => plan({ candidates: "warp", budget: 2e7, pool: 1e7, steps: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: --candidates warp keeps the 20000000 images on the device, 3920000000 bytes, and it takes 134217728; lower --budget, or give --candidates mix, which keeps none]`,
    );
  });
});
