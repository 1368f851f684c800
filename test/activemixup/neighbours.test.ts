import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkNeighbours,
  createCandidates,
  defaultDistillOptions,
  distill,
  planDistill,
  shownPixels,
  specFor,
  warpRanges,
  type AnsweredQuery,
} from "../../src/activemixup/index.js";
import { drawComposition, type CompositionKind } from "../../src/activemixup/candidates/composition.js";
import { nearestImages } from "../../src/activemixup/candidates/neighbours.js";
import { drawDigits, sampleImages } from "../../src/data/index.js";
import { Network } from "../../src/nn/index.js";
import { createTensor } from "../../src/tensor/index.js";
import { useDevices } from "../devices.js";
import { BrightnessTeacher, CLASSES } from "./brightness-teacher.js";

const devices = useDevices();

const kinds: CompositionKind[] = ["warp", "mix", "cutmix"];

interface Grey {
  readonly count: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly pixels: Uint8Array<ArrayBuffer>;
}

/** Random images with few grey values, so that distances are often equal. */
const imageSets = fc
  .tuple(
    fc.integer({ min: 2, max: 9 }),
    fc.constantFrom(1, 3),
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 1, max: 9 }),
  )
  .chain(([count, channels, height, width]) =>
    fc
      .array(fc.constantFrom(0, 1, 128, 255), {
        minLength: count * channels * height * width,
        maxLength: count * channels * height * width,
      })
      .map((values): Grey => ({ count, channels, height, width, pixels: Uint8Array.from(values) })),
  );

/** All other images by their squared distance, those as near by their numbers. */
function sorted(
  { count, pixels }: Pick<Grey, "count"> & { readonly pixels: ArrayLike<number> },
  image: number,
): number[] {
  const size = pixels.length / count;
  const distance = (other: number) => {
    let sum = 0;
    for (let p = 0; p < size; p++) sum += (pixels[image * size + p] - pixels[other * size + p]) ** 2;
    return sum;
  };
  return Array.from({ length: count }, (_, other) => other)
    .filter((other) => other !== image)
    .sort((a, b) => distance(a) - distance(b) || a - b);
}

describe("nearestImages", () => {
  it("gives the nearest of all others, the lower number first of those as near", async () => {
    await fc.assert(
      fc.asyncProperty(imageSets, fc.nat(), async (images, more) => {
        const k = 1 + (more % (images.count - 1));
        const nearest = await nearestImages(images, k);
        expect(nearest).toHaveLength(images.count * k);
        for (let image = 0; image < images.count; image++) {
          expect([...nearest.subarray(image * k, (image + 1) * k)]).toEqual(sorted(images, image).slice(0, k));
        }
      }),
    );
  });

  it("compares images of more than 256 values by blocks of pixels, those cut off at the edge too", async () => {
    // 3 × 19 × 21 has 1197 values; blocks of 3 × 3 are the smallest that leave at most 256, 3 × 7 × 7.
    const [count, channels, height, width] = [6, 3, 19, 21];
    const pixels = Uint8Array.from({ length: count * channels * height * width }, (_, p) => (p * p * 7 + p) % 251);
    const blocks = new Float64Array(count * channels * 49);
    for (const [p, value] of pixels.entries()) {
      const [x, y] = [p % width, Math.floor(p / width) % height];
      blocks[Math.floor(p / (width * height)) * 49 + Math.floor(y / 3) * 7 + Math.floor(x / 3)] += value;
    }
    const nearest = await nearestImages({ count, channels, height, width, pixels }, 2);
    for (let image = 0; image < count; image++) {
      expect([...nearest.subarray(image * 2, image * 2 + 2)]).toEqual(
        sorted({ count, pixels: blocks }, image).slice(0, 2),
      );
    }
  });

  it("tells how far it is, and ends when it is aborted", async () => {
    const count = 3000;
    const many = { count, channels: 1, height: 16, width: 16, pixels: new Uint8Array(count * 256) };
    const told: number[] = [];
    const interrupt = new AbortController();
    const onProgress = (done: number) => {
      told.push(done);
      if (told.length === 2) interrupt.abort(new Error("enough"));
    };
    await expect(nearestImages(many, 3, { onProgress, signal: interrupt.signal })).rejects.toThrow("enough");
    expect(told).toHaveLength(2);
    expect(told[0]).toBeGreaterThan(0);
    expect(told[1]).toBeGreaterThan(told[0]);
    expect(told[1]).toBeLessThan((count * (count - 1)) / 2);
  });
});

describe("candidates with neighbours", () => {
  const images = { ...drawDigits(12, 3, { size: 14 }), labels: undefined };
  const composed = {
    ...defaultDistillOptions,
    candidates: "mixture",
    candidateWarps: warpRanges("affine", 1, false),
    pool: 60,
    seed: 2,
  } as const;

  it("draw the second image among those of the first, each as often", () => {
    const count = 4;
    const neighbours = Uint32Array.of(1, 2, 3, 0, 0, 3, 2, 1);
    const drawn = Array.from({ length: 3000 }, (_, candidate) =>
      drawComposition(candidate, { kinds, count, neighbours }, images, 1),
    );
    for (let first = 0; first < count; first++) {
      const own = drawn.filter((composition) => composition.kind !== "warp" && composition.first === first);
      for (const second of neighbours.subarray(2 * first, 2 * first + 2)) {
        expect(own.filter((composition) => composition.second === second).length / own.length).toBeCloseTo(0.5, 1);
      }
    }
    for (const { kind, first, second } of drawn) if (kind === "warp") expect(second).toBe(first);
  });

  it("are what the teacher is shown", () => {
    const { count, channels, height, width } = images;
    const shape = [count, channels, height, width];
    const tensor = createTensor(devices.cpu, shape, { dtype: "u8", data: images.pixels });
    // Each with the one before it, whatever it looks like.
    const neighbours = Uint32Array.from({ length: count }, (_, image) => (image + count - 1) % count);
    const candidates = createCandidates(images, tensor, composed, { single: false, neighbours });
    const choices = Array.from({ length: 60 }, (_, place) => candidates.choice(place, 0));
    for (const { kind, first, second } of choices) {
      expect(second).toBe(kind === "warp" ? first : (first + count - 1) % count);
    }
    const answers = choices.map((choice) => ({ ...choice, round: 1, label: new Float32Array() }));
    expect(candidates.pixels(choices)).toEqual(shownPixels(images, answers, composed));
    candidates.dispose();
    tensor.dispose();
  });

  it("are asked about in a run that is told so, and in no other", async () => {
    const nearest = await nearestImages(images, 1);
    const seconds = async (more: object) => {
      const student = new Network(devices.cpu, specFor("lenet5-half", images, CLASSES), 1);
      const answers: AnsweredQuery[] = [];
      const onAnswers = (some: readonly AnsweredQuery[]) => Promise.resolve(void answers.push(...some));
      const options = { ...composed, budget: 40, rounds: 1, steps: 1, batch: 4, ...more };
      await distill({ images, teacher: new BrightnessTeacher(), student, options, observer: { onAnswers } });
      student.dispose();
      return answers.filter(({ kind }) => kind === "mix" || kind === "cutmix");
    };
    const near = await seconds({ neighbours: 1 });
    expect(near.length).toBeGreaterThan(10);
    for (const { first, second } of near) expect(second).toBe(nearest[first]);
    expect((await seconds({})).filter(({ first, second }) => second !== nearest[first]).length).toBeGreaterThan(10);
  });

  it("are refused where they cannot be", () => {
    const student = new Network(devices.cpu, specFor("lenet5-half", images, CLASSES), 1);
    const plan = (more: object, count = 7) => {
      const options = { ...defaultDistillOptions, budget: 40, rounds: 2, ...more };
      return planDistill({
        images: sampleImages(images, count, 0),
        student,
        teacher: new BrightnessTeacher(),
        options,
      });
    };
    expect(plan({ candidates: "cutmix", neighbours: 6 })).toEqual([7, 17, 16]);
    for (const neighbours of [0, 7, 1.5]) {
      expect(() => plan({ candidates: "mixture", neighbours })).toThrow(
        `--neighbours is ${neighbours}; expected a whole number from 1 to 6, with 7 real images to train on: lower it, or ` +
          `raise --n`,
      );
    }
    expect(() => plan({ candidates: "cutmix", neighbours: 1 }, 1)).toThrow(
      "--candidates cutmix needs two images, and --n leaves 1; raise --n",
    );
    for (const candidates of ["mix", "warp"]) {
      // Also where nothing is chosen.
      for (const rounds of [2, 0]) {
        expect(() => plan({ candidates, neighbours: 3, rounds })).toThrow(
          `--neighbours is of --candidates cutmix and mixture, and they are ${candidates}: leave it out, or give one of these`,
        );
      }
    }
    expect(() => plan({ candidates: "best", neighbours: 3 })).toThrow(
      'no candidates are called "best"; choose one of mix, warp, cutmix, mixture',
    );
    expect(() => plan({ candidates: "cutmix", neighbours: 3, strategy: "real-only" })).toThrow(
      "--neighbours is of candidates, and --strategy real-only has none; leave it out",
    );
    expect(() => checkNeighbours(1000, { candidates: "cutmix", neighbours: 257 })).toThrow(
      "--neighbours is 257; expected a whole number from 1 to 256, with 1000 real images to train on: lower it",
    );
    student.dispose();
  });
});
