import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  blendImages,
  blendPixels,
  candidateBlends,
  drawAugment,
  drawLambda,
  pairCount,
  pairNumber,
  pairOf,
  type Blend,
  type CandidateOptions,
} from "../../src/kernels/mixup/index.js";
import { createTensor, Philox, type Shape } from "../../src/tensor/index.js";
import { EXACT, expectClose, f32Tolerance } from "../close.js";
import { useDevices } from "../devices.js";
import { anySeed, expectSame, runKernel, type Input } from "./harness.js";

const devices = useDevices();

const u32 = (data: ArrayLike<number>): Input<"u32"> => ({ shape: [data.length], dtype: "u32", data });

function randomImages(shape: Shape, seed: number): Input<"u8"> {
  const random = new Philox(seed);
  const size = shape.reduce((product, length) => product * length, 1);
  return { shape, dtype: "u8", data: Uint8Array.from({ length: size }, () => random.below(256)) };
}

/** Blends of n images, the plain copies (weight 0 and 65536) among them. */
function randomBlend(batch: number, n: number, seed: number) {
  const random = new Philox(seed, 1);
  const weights = [0, 65536, 32768, 1, 65535, random.below(65537), random.below(65537)];
  return {
    first: u32(Uint32Array.from({ length: batch }, () => random.below(n))),
    second: u32(Uint32Array.from({ length: batch }, () => random.below(n))),
    weight: u32(Uint32Array.from({ length: batch }, () => weights[random.below(weights.length)])),
  };
}

const problem = fc.record({
  n: fc.constantFrom(1, 2, 5),
  channels: fc.constantFrom(1, 2, 3, 4),
  height: fc.constantFrom(1, 3, 7, 8, 19),
  width: fc.constantFrom(1, 5, 8, 13, 20),
  batch: fc.constantFrom(1, 2, 3, 7),
  seed: anySeed,
});

describe("blendPixels", () => {
  it("agrees with the reference bit for bit, where images begin within a word too", async () => {
    await fc.assert(
      fc.asyncProperty(problem, async ({ n, channels, height, width, batch, seed }) => {
        await expectSame(
          devices,
          { images: randomImages([n, channels, height, width], seed), ...randomBlend(batch, n, seed) },
          (recorder, { images, ...blend }) => ({ out: blendPixels(recorder, images, blend) }),
          EXACT,
        );
      }),
      { numRuns: 60 },
    );
  });

  it("rounds λa + (1 − λ)b half up, for all pairs of bytes", async () => {
    const a = Uint8Array.from({ length: 65536 }, (_, index) => index >> 8);
    const b = Uint8Array.from({ length: 65536 }, (_, index) => index & 255);
    const images: Input<"u8"> = { shape: [2, 1, 256, 256], dtype: "u8", data: [...a, ...b] };
    const weights = [0, 1, 19661, 22282, 32768, 45875, 65535, 65536];
    const inputs = {
      images,
      first: u32(weights.map(() => 0)),
      second: u32(weights.map(() => 1)),
      weight: u32(weights),
    };
    const { out } = await runKernel(devices.gpu, inputs, (recorder, tensors) => ({
      out: blendPixels(recorder, tensors.images, tensors),
    }));
    const expected = weights.flatMap((weight) =>
      Array.from(a, (value, index) => Math.round((value * weight + b[index] * (65536 - weight)) / 65536)),
    );
    expectClose(out, expected, EXACT);
  });

  it("takes the last image for a number past the end", async () => {
    const inputs = {
      images: { shape: [2, 1, 1, 3], dtype: "u8", data: [1, 2, 3, 4, 5, 6] } as Input<"u8">,
      first: u32([9, 0]),
      second: u32([0, 2]),
      weight: u32([65536, 0]),
    };
    for (const device of [devices.cpu, devices.gpu]) {
      const { out } = await runKernel(device, inputs, (recorder, tensors) => ({
        out: blendPixels(recorder, tensors.images, tensors),
      }));
      expectClose(out, [4, 5, 6, 4, 5, 6], EXACT);
    }
  });
});

describe("blendImages", () => {
  const mean = [0.49, 0.48, 0.44, 0];
  const std = [0.2, 0.25, 0.3, 1];
  const augmentation = fc.option(
    fc.record({ crop: fc.constantFrom(0, 1, 4), flip: fc.boolean(), seed: anySeed, counter: anySeed }),
    { nil: undefined },
  );

  it("agrees with the reference, augmented or not", async () => {
    await fc.assert(
      fc.asyncProperty(problem, augmentation, async ({ n, channels, height, width, batch, seed }, augment) => {
        const crop = Math.min(augment?.crop ?? 0, Math.max(height, width));
        await expectSame(
          devices,
          {
            images: randomImages([n, channels, height, width], seed),
            ...randomBlend(batch, n, seed),
            counter: u32([augment?.counter ?? 0]),
          },
          (recorder, { images, counter, ...blend }) => ({
            out: blendImages(recorder, images, blend, {
              mean: mean.slice(0, channels),
              std: std.slice(0, channels),
              augment: augment && { ...augment, crop, counter },
            }),
          }),
          f32Tolerance(),
        );
      }),
      { numRuns: 80 },
    );
  });

  it("handles images of more pixels than a workgroup takes at once", async () => {
    await expectSame(
      devices,
      { images: randomImages([3, 3, 33, 31], 5), ...randomBlend(5, 3, 5), counter: u32([7]) },
      (recorder, { images, counter, ...blend }) => ({
        out: blendImages(recorder, images, blend, {
          mean: mean.slice(0, 3),
          std: std.slice(0, 3),
          augment: { crop: 4, flip: true, seed: 1, counter },
        }),
      }),
      f32Tolerance(),
    );
  });

  it("shows the very pixels of blendPixels", async () => {
    const inputs = { images: randomImages([9, 3, 13, 11], 3), ...randomBlend(40, 9, 3) };
    const { pixels, values } = await runKernel(devices.gpu, inputs, (recorder, { images, ...blend }) => ({
      pixels: blendPixels(recorder, images, blend),
      values: blendImages(recorder, images, blend, { mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255] }),
    }));
    expectClose(values, pixels, EXACT);
  });

  it("shifts, then mirrors, and lets black in", async () => {
    // The first element of this seed whose draw is a shift down and right with a flip.
    const seed = 20;
    const element = Array.from({ length: 200 }, (_, index) => index).find((index) => {
      const draw = drawAugment(index, 0, seed, 1, true);
      return draw.shiftY === -1 && draw.shiftX === -1 && draw.flip;
    })!;
    const image = [10, 20, 30, 40, 50, 60];
    const same = Array.from({ length: element + 1 }, () => 0);
    const inputs = {
      images: { shape: [1, 1, 2, 3], dtype: "u8", data: image } as Input<"u8">,
      first: u32(same),
      second: u32(same),
      weight: u32(same),
      counter: u32([0]),
    };
    for (const device of [devices.cpu, devices.gpu]) {
      const { out } = await runKernel(device, inputs, (recorder, { images, counter, ...blend }) => ({
        out: blendImages(recorder, images, blend, {
          mean: [0.5],
          std: [1 / 255],
          augment: { crop: 1, flip: true, seed, counter },
        }),
      }));
      const black = -127.5;
      expectClose(out.slice(-6), [black, black, black, 20 - 127.5, 10 - 127.5, black], f32Tolerance());
    }
  });

  it("draws every shift equally often and mirrors half the images, differently in each step", () => {
    const draws = Array.from({ length: 9000 }, (_, index) =>
      drawAugment(index % 90, Math.floor(index / 90), 1, 4, true),
    );
    for (const axis of ["shiftY", "shiftX"] as const) {
      for (let shift = -4; shift <= 4; shift++) {
        const times = draws.filter((draw) => draw[axis] === shift).length;
        // 1000 expected, with a standard deviation of 30.
        expect(Math.abs(times - 1000), `${axis} ${shift}`).toBeLessThan(120);
      }
    }
    expect(Math.abs(draws.filter(({ flip }) => flip).length - 4500)).toBeLessThan(190);
    expect(draws.slice(0, 90)).not.toEqual(draws.slice(90, 180));
    expect(draws.slice(0, 90).every(({ flip }) => !flip)).toBe(false);
    expect(drawAugment(3, 2, 1, 4, false)).toEqual({ ...drawAugment(3, 2, 1, 4, true), flip: false });
  });

  it("says what does not fit", () => {
    const image = (shape: Shape) => createTensor(devices.cpu, shape, { dtype: "u8", name: "photos" });
    const blend = (length: number): Blend => {
      const part = createTensor(devices.cpu, [length], { dtype: "u32", name: "part" });
      return { first: part, second: part, weight: part };
    };
    const attempt = (...args: [ReturnType<typeof image>, Blend, Parameters<typeof blendImages>[3]]) =>
      runKernel(devices.cpu, {}, (recorder) => ({ out: blendImages(recorder, ...args) }));
    return Promise.all([
      expect(attempt(image([4, 28, 28]), blend(2), { mean: [0], std: [1] })).rejects.toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: blendImages: images is [4, 28, 28]; expected 4 axes (N C H W)]`,
      ),
      expect(
        attempt(image([4, 1, 28, 28]), { ...blend(2), second: blend(3).second }, { mean: [0], std: [1] }),
      ).rejects.toThrowErrorMatchingInlineSnapshot(`[ShapeError: blendImages: second is [3]; expected [2]]`),
      expect(
        attempt(image([4, 3, 8, 8]), blend(2), { mean: [0], std: [1] }),
      ).rejects.toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: blendImages: mean is [0]; expected 3 numbers, one a channel]`,
      ),
      expect(
        attempt(image([4, 1, 8, 8]), blend(2), { mean: [0], std: [0] }),
      ).rejects.toThrowErrorMatchingInlineSnapshot(`[InputError: blendImages: std is [0]; expected numbers above 0]`),
      expect(
        attempt(image([4, 5, 8, 8]), blend(2), { mean: [0], std: [1] }),
      ).rejects.toThrowErrorMatchingInlineSnapshot(
        `[ShapeError: blendImages: images have 5 channels; expected 1 to 4]`,
      ),
    ]);
  });
});

describe("pair numbers", () => {
  it("count the pairs i < j in lexicographic order", () => {
    for (let n = 2; n <= 40; n++) {
      let number = 0;
      for (let i = 0; i < n; i++) {
        for (let j = i + 1; j < n; j++) {
          expect(pairNumber(i, j, n)).toBe(number);
          expect(pairOf(number++, n)).toEqual([i, j]);
        }
      }
      expect(pairCount(n)).toBe(number);
    }
  });

  it("are undone by pairOf for any n", () => {
    const pair = fc
      .integer({ min: 2, max: 92_681 })
      .chain((n) =>
        fc
          .tuple(fc.constant(n), fc.nat(n - 2))
          .chain(([, i]) => fc.tuple(fc.constant(n), fc.constant(i), fc.integer({ min: i + 1, max: n - 1 }))),
      );
    fc.assert(
      fc.property(pair, ([n, i, j]) => {
        expect(pairOf(pairNumber(i, j, n), n)).toEqual([i, j]);
      }),
      { numRuns: 1000 },
    );
  });

  it("refuse what is no pair", () => {
    expect(() => pairOf(10, 5)).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: pairs: number 10 of 5 images; expected a whole number from 0 to 9]`,
    );
    expect(() => pairNumber(3, 3, 5)).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: pairs: (3, 3) of 5 images; expected whole numbers 0 ≤ i < j < 5]`,
    );
    expect(() => pairCount(92_682)).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: pairs: of 92682 images; expected 2 to 92681, so that pair numbers fit 32 bits]`,
    );
  });
});

describe("candidateBlends", () => {
  it.each([2, 3, 4, 5, 17, 100, 317])("decodes all pairs of %i images", async (images) => {
    const pool = pairCount(images);
    const { first, second } = await runKernel(
      devices.gpu,
      { lambdas: u32([65536]), counter: u32([0]) },
      (recorder, tensors) => ({ ...candidateBlends(recorder, { images, pool, batch: pool, ...tensors }) }),
    );
    let number = 0;
    for (let i = 0; i < images; i++) {
      for (let j = i + 1; j < images; j++, number++) {
        if (first[number] !== i || second[number] !== j) {
          expect.fail(`pair ${number} is (${first[number]}, ${second[number]}); expected (${i}, ${j})`);
        }
      }
    }
  });

  it.each([65_535, 92_681])("decodes the first and last pair of each row of %i images", async (images) => {
    const rows = images - 1;
    const pairs = new Uint32Array(2 * rows);
    for (let i = 0; i < rows; i++) {
      pairs[2 * i] = pairNumber(i, i + 1, images);
      pairs[2 * i + 1] = pairNumber(i, images - 1, images);
    }
    const { first, second } = await runKernel(
      devices.gpu,
      { pairs: u32(pairs), lambdas: u32([65536]), counter: u32([0]) },
      (recorder, tensors) => ({
        ...candidateBlends(recorder, { images, pool: pairs.length, batch: pairs.length, ...tensors }),
      }),
    );
    expectClose(
      first,
      Array.from(pairs, (_, index) => index >> 1),
      EXACT,
      "first",
    );
    expectClose(
      second,
      Array.from(pairs, (_, index) => (index % 2 ? images - 1 : (index >> 1) + 1)),
      EXACT,
      "second",
    );
  });

  it("agrees with the reference at every batch, of all pairs or some, at each λ or one", async () => {
    const candidates = fc.record({
      images: fc.constantFrom(2, 5, 30),
      sampled: fc.boolean(),
      batch: fc.constantFrom(1, 7, 64, 100),
      lambdas: fc.constantFrom([32768], [19661, 32768, 45875]),
      counter: fc.constantFrom(0, 1, 4, 63, 0xffffffff),
      single: fc.option(fc.record({ seed: anySeed }), { nil: undefined }),
      seed: anySeed,
    });
    await fc.assert(
      fc.asyncProperty(candidates, async ({ images, sampled, batch, lambdas, counter, single, seed }) => {
        const all = pairCount(images);
        const pool = sampled ? Math.ceil(all / 2) : all;
        const pairs = u32(new Philox(seed).sample(pool, all));
        await expectSame(
          devices,
          { pairs, lambdas: u32(lambdas), counter: u32([counter]) },
          (recorder, tensors) => {
            const options: CandidateOptions = { images, pool, batch, single, ...tensors };
            return { ...candidateBlends(recorder, sampled ? options : { ...options, pairs: undefined }) };
          },
          EXACT,
        );
      }),
      { numRuns: 60 },
    );
  });

  it("puts all λ of a pair next to each other", async () => {
    const { first, second, weight } = await runKernel(
      devices.gpu,
      { lambdas: u32([100, 200]), counter: u32([1]) },
      (recorder, tensors) => ({ ...candidateBlends(recorder, { images: 4, pool: 6, batch: 2, ...tensors }) }),
    );
    expectClose(first, [0, 0, 1, 1], EXACT);
    expectClose(second, [3, 3, 2, 2], EXACT);
    expectClose(weight, [100, 200, 100, 200], EXACT);
  });

  it("draws one λ a candidate, each equally often, whatever the batch", async () => {
    const grid = [1, 2, 3, 4, 5];
    const pool = pairCount(100);
    const weights = await Promise.all(
      [0, 1].map(async (counter) => {
        const { weight } = await runKernel(
          devices.gpu,
          { lambdas: u32(grid), counter: u32([counter]) },
          (recorder, tensors) => ({
            ...candidateBlends(recorder, { images: 100, pool, batch: pool / 2, single: { seed: 9 }, ...tensors }),
          }),
        );
        return [...weight];
      }),
    );
    const drawn = weights.flat();
    expect(drawn).toEqual(Array.from({ length: pool }, (_, candidate) => grid[drawLambda(candidate, 9, 5)]));
    for (const lambda of grid) {
      // 990 expected, with a standard deviation of 28.
      expect(Math.abs(drawn.filter((value) => value === lambda).length - 990), `λ ${lambda}`).toBeLessThan(112);
    }
  });

  it("says what does not fit", async () => {
    const attempt = (options: Partial<CandidateOptions>) =>
      runKernel(devices.cpu, { lambdas: u32([1]), counter: u32([0]) }, (recorder, tensors) => ({
        ...candidateBlends(recorder, { images: 4, pool: 6, batch: 2, ...tensors, ...options }),
      }));
    await expect(attempt({ pool: 5 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: candidateBlends: pool is 5, the pairs of 4 images are 6; give \`pairs\` for a pool of some]`,
    );
    await expect(attempt({ images: 1 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: pairs: of 1 images; expected 2 to 92681, so that pair numbers fit 32 bits]`,
    );
    await expect(attempt({ batch: 0 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: candidateBlends: batch is 0; expected a whole number from 1 up]`,
    );
    await expect(attempt({ single: { seed: -1 } })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: candidateBlends: seed is -1; expected a whole number from 0 to 4294967295]`,
    );
  });
});
