import { describe, expect, test } from "vitest";
import { drawDigits } from "../../src/data/digits.js";
import { bytesPerImage, subset, type ImageSet } from "../../src/data/image-set.js";
import { inputError } from "./fixtures.js";

/** Share of `images` whose nearest neighbour among `known`, by squared distance of pixels, has their label. */
function nearestNeighborAccuracy(images: ImageSet, known: ImageSet): number {
  const size = bytesPerImage(images);
  let right = 0;
  for (let i = 0; i < images.count; i++) {
    let [nearest, least] = [-1, Infinity];
    for (let j = 0; j < known.count; j++) {
      let distance = 0;
      for (let p = 0; p < size && distance < least; p++) {
        distance += (images.pixels[i * size + p] - known.pixels[j * size + p]) ** 2;
      }
      if (distance < least) [nearest, least] = [j, distance];
    }
    if (known.labels![nearest] === images.labels![i]) right++;
  }
  return right / images.count;
}

describe("drawDigits", () => {
  test("gives grey images of the size asked for, 20 by default, with balanced labels", () => {
    const set = drawDigits(25, 1);
    expect(set).toMatchObject({
      name: "drawn digits, seed 1",
      count: 25,
      channels: 1,
      height: 20,
      width: 20,
      classes: 10,
    });
    expect(set.labels).toEqual(Uint8Array.from({ length: 25 }, (_, i) => i % 10));
    expect(set.pixels.length).toBe(25 * 400);
    expect(drawDigits(3, 1, { size: 28 })).toMatchObject({ height: 28, width: 28 });
    expect(drawDigits(3, 1, { size: 28 }).pixels.length).toBe(3 * 784);
  });

  test("a seed gives the same images again, and a longer set begins with the shorter", () => {
    const set = drawDigits(40, 7);
    expect(drawDigits(40, 7)).toEqual(set);
    expect(drawDigits(15, 7)).toEqual(
      subset(
        set,
        Array.from({ length: 15 }, (_, i) => i),
      ),
    );
  });

  test("no image is the same as another, whatever its seed", () => {
    const images = [drawDigits(200, 0), drawDigits(200, 1)].flatMap((set) =>
      Array.from({ length: set.count }, (_, i) => set.pixels.slice(i * 400, (i + 1) * 400).join()),
    );
    expect(new Set(images).size).toBe(400);
  });

  test("each image has a bright stroke on a dark ground, for every size", () => {
    for (const size of [12, 20, 64]) {
      const { pixels, count } = drawDigits(200, 3, { size });
      for (let i = 0; i < count; i++) {
        const image = pixels.subarray(i * size * size, (i + 1) * size * size);
        const sorted = image.slice().sort();
        const brightest = sorted.subarray(-Math.ceil(sorted.length / 20));
        // Noise alone, at its strongest, would give 62.
        expect(brightest.reduce((sum, value) => sum + value, 0) / brightest.length).toBeGreaterThan(75);
        expect(sorted[sorted.length >> 1]).toBeLessThan(60);
      }
    }
  });

  test("the digit can be told from the image, better from more examples, and not wholly from 200", () => {
    const images = drawDigits(300, 100);
    const few = nearestNeighborAccuracy(images, drawDigits(200, 101));
    const many = nearestNeighborAccuracy(images, drawDigits(4000, 101));
    expect(few).toBeGreaterThan(0.4);
    expect(few).toBeLessThan(0.75);
    expect(many).toBeGreaterThan(few + 0.15);
  });

  test("counts and sizes out of range", () => {
    expect(inputError(() => drawDigits(0, 1))).toBe(
      "drawDigits: count is 0, expected a whole number of images from 1 to 5368709; choose another count",
    );
    expect(inputError(() => drawDigits(1e9, 1))).toMatch(/^drawDigits: count is 1000000000, expected/);
    expect(inputError(() => drawDigits(1, 1, { size: 11 }))).toBe(
      "drawDigits: size is 11, expected a whole number of pixels from 12 to 256; choose another size",
    );
  });
});
