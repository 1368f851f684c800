import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ComposedCandidates,
  defaultDistillOptions,
  planDistill,
  specFor,
  warpRanges,
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
  it("gives the nearest of all others, the lower number first of those as near", () => {
    fc.assert(
      fc.property(imageSets, fc.nat(), (images, more) => {
        const k = 1 + (more % (images.count - 1));
        const nearest = nearestImages(images, k);
        expect(nearest).toHaveLength(images.count * k);
        for (let image = 0; image < images.count; image++) {
          expect([...nearest.subarray(image * k, (image + 1) * k)]).toEqual(sorted(images, image).slice(0, k));
        }
      }),
    );
  });

  it("compares images of more than 256 values by blocks of pixels, those cut off at the edge too", () => {
    // 3 × 19 × 21 has 1197 values; blocks of 3 × 3 are the smallest that leave at most 256, 3 × 7 × 7.
    const [count, channels, height, width] = [6, 3, 19, 21];
    const pixels = Uint8Array.from({ length: count * channels * height * width }, (_, p) => (p * p * 7 + p) % 251);
    const blocks = new Float64Array(count * channels * 49);
    for (const [p, value] of pixels.entries()) {
      const [x, y] = [p % width, Math.floor(p / width) % height];
      blocks[Math.floor(p / (width * height)) * 49 + Math.floor(y / 3) * 7 + Math.floor(x / 3)] += value;
    }
    const nearest = nearestImages({ count, channels, height, width, pixels }, 2);
    for (let image = 0; image < count; image++) {
      expect([...nearest.subarray(image * 2, image * 2 + 2)]).toEqual(
        sorted({ count, pixels: blocks }, image).slice(0, 2),
      );
    }
  });
});

describe("compositions with neighbours", () => {
  const images = { ...drawDigits(12, 3, { size: 14 }), labels: undefined };

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

  it("are those of the pool, and what the teacher is shown", () => {
    const { count, channels, height, width } = images;
    const shape = [count, channels, height, width];
    const tensor = createTensor(devices.cpu, shape, { dtype: "u8", data: images.pixels });
    const options = { kinds, warps: warpRanges("affine", 1, false), pool: 60, seed: 2 };
    const near = new ComposedCandidates(images, tensor, { ...options, neighbours: 3 });
    const any = new ComposedCandidates(images, tensor, options);
    const nearest = nearestImages(images, 3);
    const choices = Array.from({ length: 60 }, (_, place) => near.choice(place)).filter(({ kind }) => kind !== "warp");
    for (const { first, second } of choices) expect([...nearest.subarray(3 * first, 3 * first + 3)]).toContain(second);
    expect(near.pixels(choices)).not.toEqual(any.pixels(choices));
    for (const candidates of [near, any]) candidates.dispose();
    tensor.dispose();
  });

  it("are refused where they cannot be", () => {
    const student = new Network(devices.cpu, specFor("lenet5-half", images, CLASSES), 1);
    const plan = (more: object) => {
      const options = { ...defaultDistillOptions, budget: 40, rounds: 2, ...more };
      return planDistill({ images: sampleImages(images, 7, 0), student, teacher: new BrightnessTeacher(), options });
    };
    expect(plan({ candidates: "cutmix", neighbours: 6 })).toEqual([7, 17, 16]);
    for (const neighbours of [0, 7, 1.5]) {
      expect(() => plan({ candidates: "mixture", neighbours })).toThrow(
        `--neighbours is ${neighbours}; expected a whole number from 1 to 6: each of the 7 real images that are trained on ` +
          `has so many others`,
      );
    }
    for (const candidates of ["mix", "warp"]) {
      expect(() => plan({ candidates, neighbours: 3 })).toThrow(
        `--neighbours is of --candidates cutmix and mixture, and they are ${candidates}: leave it out, or give one of these`,
      );
    }
    student.dispose();
  });
});
