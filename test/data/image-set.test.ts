import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bytesPerImage,
  checkLabels,
  countClasses,
  sampleImages,
  sampleIndices,
  subset,
  type ImageSet,
} from "../../src/data/image-set.js";
import { inputError, pattern } from "./fixtures.js";

function makeSet(count: number, labels: ImageSet["labels"]): ImageSet {
  const [channels, height, width] = [3, 2, 5];
  const pixels = pattern(count * channels * height * width);
  return { name: "toy", count, channels, height, width, pixels, labels, classes: labels ? countClasses(labels) : 0 };
}

describe("subset", () => {
  test("copies the images at the indices in their order, labels with them", () => {
    const set = makeSet(4, Uint8Array.of(3, 1, 0, 2));
    const part = subset(set, [2, 0, 2]);
    const size = bytesPerImage(set);
    expect(size).toBe(30);
    expect(part.count).toBe(3);
    expect(part.labels).toEqual(Uint8Array.of(0, 3, 0));
    expect(part.classes).toBe(4);
    for (const [position, index] of [2, 0, 2].entries()) {
      expect(part.pixels.slice(position * size, (position + 1) * size)).toEqual(
        set.pixels.slice(index * size, (index + 1) * size),
      );
    }
    part.pixels.fill(0);
    expect(set.pixels).toEqual(pattern(4 * size));
  });

  test("keeps the kind of the labels, and having none", () => {
    expect(subset(makeSet(2, Uint32Array.of(7, 300)), [1]).labels).toEqual(Uint32Array.of(300));
    expect(subset(makeSet(2, undefined), [1]).labels).toBeUndefined();
  });

  test.each([-1, 4, 0.5, NaN])("refuses index %s", (index) => {
    expect(() => subset(makeSet(4, undefined), [0, index])).toThrow(
      new RangeError(`subset: index ${index} at position 1 is outside toy, which holds 4 images`),
    );
  });
});

describe("sampleImages", () => {
  test("draws n distinct images of the set, the same for the same seed, labels or not", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.nat(), fc.nat({ max: 2 ** 32 - 1 }), (count, choice, seed) => {
        const n = 1 + (choice % count);
        const labelled = makeSet(count, pattern(count));
        const indices = sampleIndices(labelled, n, seed);
        expect(new Set(indices).size).toBe(n);
        expect(indices).toEqual(Uint32Array.from(indices).sort());
        expect(indices.every((index) => index < count)).toBe(true);
        expect(sampleIndices(makeSet(count, undefined), n, seed)).toEqual(indices);
        expect(sampleImages(labelled, n, seed)).toEqual(subset(labelled, indices));
      }),
    );
  });

  test("draws every image about equally often, and otherwise with another seed", () => {
    const set = makeSet(10, undefined);
    const drawn = new Array<number>(10).fill(0);
    for (let seed = 0; seed < 2000; seed++) for (const index of sampleIndices(set, 3, seed)) drawn[index]++;
    for (const times of drawn) expect(Math.abs(times - 600)).toBeLessThan(120); // 6 standard deviations
  });

  test("refuses n beyond the set, naming the option", () => {
    expect(inputError(() => sampleImages(makeSet(10, undefined), 11, 0))).toBe(
      "--n is 11, but toy holds only 10 images; choose --n from 1 to 10",
    );
  });

  test.each([0, -1, 1.5, NaN])("refuses n of %s", (n) => {
    expect(inputError(() => sampleImages(makeSet(10, undefined), n, 0))).toBe(
      `--n is ${n}, expected a whole number of images from 1 to 10; choose another --n`,
    );
  });
});

describe("labels", () => {
  test("classes are the highest label + 1", () => {
    expect(countClasses(Uint8Array.of(0, 9, 3))).toBe(10);
    expect(countClasses(Uint32Array.of(999))).toBe(1000);
    expect(countClasses(new Uint8Array())).toBe(0);
  });

  test("a label beyond the network's classes is told with its image", () => {
    const set = makeSet(3, Uint8Array.of(1, 9, 10));
    expect(() => {
      checkLabels(set, 11);
      checkLabels(makeSet(3, undefined), 1);
    }).not.toThrow();
    expect(
      inputError(() => {
        checkLabels(set, 9);
      }),
    ).toBe("toy: image 1 has label 9, expected labels from 0 to 8; use images and a network with the same classes");
  });
});
