import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blendPixelsReference, type Blend, type HostBlend } from "../../src/kernels/mixup/index.js";
import {
  AFFINE_WORDS,
  composeImages,
  composeOnHost,
  drawWarps,
  drawWarpsReference,
  WARP_WORDS,
  warpBlends,
  warpPixelsReference,
  warpWords,
  type WarpRanges,
} from "../../src/kernels/warp/index.js";
import { createTensor, Philox, RandomStream, type DType, type Shape, type Tensor } from "../../src/tensor/index.js";
import { EXACT, f32Tolerance } from "../close.js";
import { useDevices } from "../devices.js";
import { anySeed, expectSame, runKernel, type Input } from "./harness.js";

const devices = useDevices();

const STILL: WarpRanges = { share: 1, rotation: 0, scale: 0, shear: 0, shift: 0, elastic: 0, flip: false };
const WILD: WarpRanges = { share: 0.8, rotation: 45, scale: 0.5, shear: 0.5, shift: 16, elastic: 4, flip: true };

/** Takes pixels to f32 without changing them. */
const asTheyAre = (channels: number) => ({
  mean: new Array<number>(channels).fill(0),
  std: new Array<number>(channels).fill(1 / 255),
});

const u32 = (data: ArrayLike<number>, shape: Shape = [data.length]): Input<"u32"> => ({ shape, dtype: "u32", data });

function randomImages(shape: Shape, seed: number): Input<"u8"> {
  const random = new Philox(seed);
  const size = shape.reduce((product, length) => product * length, 1);
  return { shape, dtype: "u8", data: Uint8Array.from({ length: size }, () => random.below(256)) };
}

/** Blends of n images, plain copies (weight 0 and 65536, an image with itself) among them, and numbers past the end. */
function randomBlend(batch: number, n: number, seed: number) {
  const random = new Philox(seed, 1);
  const weights = [0, 65536, 32768, 1, random.below(65537), random.below(65537)];
  const draw = (value: () => number) => u32(Uint32Array.from({ length: batch }, value));
  return {
    first: draw(() => random.below(n + 1)),
    second: draw(() => random.below(n)),
    weight: draw(() => weights[random.below(weights.length)]),
  };
}

/** Boxes, empty, whole and reaching past the image among them. */
function randomBoxes(batch: number, height: number, width: number, seed: number): Input<"u32"> {
  const random = new Philox(seed, 2);
  const side = (length: number) => random.below(length + 1) | (random.below(length + 3) << 16);
  const boxes = Array.from({ length: batch }, () => {
    const some = [
      [0, 0],
      [height << 16, width << 16],
      [side(height), side(width)],
      [side(height), side(width)],
    ];
    return some[random.below(4)];
  });
  return u32(Uint32Array.from(boxes.flat()), [batch, 2]);
}

const number = (most: number) => fc.oneof(fc.constantFrom(0, most), fc.double({ min: 0, max: most, noNaN: true }));
const anyRanges: fc.Arbitrary<WarpRanges> = fc.record({
  share: number(1),
  rotation: number(45),
  scale: number(0.5),
  shear: number(0.5),
  shift: number(16),
  elastic: number(4),
  flip: fc.boolean(),
});

const problem = fc.record({
  n: fc.constantFrom(1, 2, 5),
  channels: fc.constantFrom(1, 3, 4),
  height: fc.constantFrom(1, 3, 8, 19),
  width: fc.constantFrom(1, 5, 8, 13, 28, 40),
  batch: fc.constantFrom(1, 2, 7),
  seed: anySeed,
  ranges: anyRanges,
});

const keysTo = (count: number) => Array.from({ length: count }, (_, key) => key);
const draws = (count: number, ranges: WarpRanges, seed = 1) =>
  drawWarpsReference(keysTo(count), { ranges, seed, stream: RandomStream.warp, step: 0 });

describe("drawWarps", () => {
  it("draws the reference's words", async () => {
    await fc.assert(
      fc.asyncProperty(
        anyRanges,
        fc.constantFrom(1, 3, 65, 200),
        anySeed,
        fc.constantFrom<readonly string[]>([], ["keys", "counter"], ["keys"], ["counter"]),
        async (ranges, count, seed, given) => {
          const random = new Philox(seed, 3);
          const keys = u32(Uint32Array.from({ length: count }, () => random.uint32()));
          await expectSame(
            devices,
            { keys, counter: u32([random.uint32()]) },
            (recorder, { keys, counter }) => ({
              warps: drawWarps(recorder, count, {
                ranges,
                seed,
                stream: RandomStream.augment,
                keys: given.includes("keys") ? keys : undefined,
                counter: given.includes("counter") ? counter : undefined,
              }),
            }),
            EXACT,
          );
        },
      ),
      { numRuns: 40 },
    );
  });

  it("draws by key, step, stream and seed, and the same for the same", () => {
    const draw = (keys: number[], step: number, stream: number, seed: number) => [
      ...drawWarpsReference(keys, { ranges: WILD, seed, stream, step }),
    ];
    const [one] = [draw([7], 3, 11, 5)];
    expect(draw([9, 7], 3, 11, 5).slice(WARP_WORDS)).toEqual(one);
    for (const other of [draw([8], 3, 11, 5), draw([7], 4, 11, 5), draw([7], 3, 12, 5), draw([7], 3, 11, 6)]) {
      expect(other).not.toEqual(one);
    }
  });

  it("leaves all but `share` of the images where they are, and mirrors half of them all", () => {
    const identity = (words: ArrayLike<number>) => Array.from(words).join() === "1,0,0,1,0,0,0";
    const still = (warps: Uint32Array) => {
      const words = Array.from(new Int32Array(warps.buffer));
      return keysTo(1000).filter((row) =>
        identity(words.slice(row * WARP_WORDS, row * WARP_WORDS + 7).map((word) => word / 65536)),
      ).length;
    };
    const ranges = { ...WILD, flip: false };
    expect(still(draws(1000, { ...ranges, share: 0 }))).toBe(1000);
    expect(still(draws(1000, { ...ranges, share: 1 }))).toBe(0);
    // Standard deviation 14.
    expect(Math.abs(still(draws(1000, { ...ranges, share: 0.3 })) - 700)).toBeLessThan(60);
    for (const share of [0, 1]) {
      const words = new Int32Array(draws(1000, { ...STILL, share, flip: true }).buffer);
      const mirrored = keysTo(1000).filter((row) => words[row * AFFINE_WORDS] === -65536).length;
      expect(Math.abs(mirrored - 500)).toBeLessThan(70);
    }
    // Displacements of what stays are 0 too.
    expect(draws(10, { ...ranges, share: 0 }).every((word) => word === 0 || word === 65536)).toBe(true);
  });

  it("draws uniform numbers within their ranges, and Gaussian displacements", () => {
    const count = 4000;
    const numbers = (ranges: Partial<WarpRanges>, of: (warp: number[]) => number[]) => {
      const all = { ...STILL, ...ranges };
      const words = Array.from(new Int32Array(draws(count, all).buffer), (word) => word / 65536);
      const length = warpWords(all);
      const values = keysTo(count).flatMap((row) => of(words.slice(row * length, (row + 1) * length)));
      const mean = values.reduce((sum, value) => sum + value) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
      return { mean, variance, least: Math.min(...values), most: Math.max(...values) };
    };
    const uniforms: [Partial<WarpRanges>, (warp: number[]) => number[], number][] = [
      [{ rotation: 30 }, ([a, , c]) => [(Math.atan2(c, a) * 180) / Math.PI], 30],
      [{ scale: 0.25 }, ([a]) => [a - 1], 0.25],
      [{ shear: 0.4 }, ([, b]) => [b], 0.4],
      [{ shift: 2.5 }, (warp) => [warp[4]], 2.5],
      [{ shift: 2.5 }, (warp) => [warp[5]], 2.5],
    ];
    for (const [ranges, of, largest] of uniforms) {
      const { mean, variance, least, most } = numbers(ranges, of);
      const what = JSON.stringify(ranges);
      expect(Math.abs(mean) / largest, what).toBeLessThan(0.05);
      expect(variance / (largest ** 2 / 3), what).toBeCloseTo(1, 1);
      expect(Math.max(-least, most) / largest, what).toBeLessThan(1.001);
      expect(Math.min(-least, most) / largest, what).toBeGreaterThan(0.99);
    }
    for (const axis of [0, 1]) {
      const elastic = numbers({ elastic: 1.5 }, (warp) => warp.slice(7).filter((_, index) => index % 2 === axis));
      expect(Math.abs(elastic.mean)).toBeLessThan(0.02);
      expect(elastic.variance / 1.5 ** 2).toBeCloseTo(1, 1.5);
      expect(Math.max(-elastic.least, elastic.most)).toBeLessThan(1.5 * 3.47);
      expect(Math.min(-elastic.least, elastic.most)).toBeGreaterThan(1.5 * 3);
    }
  });

  it("turns, shears and scales, in this order of matrices", () => {
    const all = new Int32Array(draws(200, { ...STILL, rotation: 45, scale: 0.5, shear: 0.5 }).buffer);
    const one = (ranges: Partial<WarpRanges>) => new Int32Array(draws(200, { ...STILL, ...ranges }).buffer);
    const [turned, sheared, scaled] = [one({ rotation: 45 }), one({ shear: 0.5 }), one({ scale: 0.5 })];
    for (let row = 0; row < 200; row++) {
      const at = (words: Int32Array, index: number) => words[row * AFFINE_WORDS + index] / 65536;
      // Of one draw alone each number is exact to a few units: a sine, a cosine, a shear, a scale.
      const [cosine, sine, shear, scale] = [at(turned, 0), at(turned, 2), at(sheared, 1), at(scaled, 0)];
      expect(cosine ** 2 + sine ** 2).toBeCloseTo(1, 3.5);
      expect(at(turned, 1)).toBe(-sine);
      const expected = [cosine, cosine * shear - sine, sine, sine * shear + cosine].map((value) => scale * value);
      for (const [index, value] of expected.entries()) {
        expect(Math.abs(at(all, index) - value)).toBeLessThan(6 / 65536);
      }
    }
  });

  it("says what does not fit", async () => {
    const tensor = (shape: Shape, dtype: DType = "u32") => createTensor(devices.cpu, shape, { dtype, name: "t" });
    const attempt = (count: number, ranges: Partial<WarpRanges>, more: object = {}) =>
      runKernel(devices.cpu, {}, (recorder) => ({
        warps: drawWarps(recorder, count, { ranges: { ...STILL, ...ranges }, seed: 1, stream: 11, ...more }),
      })).then(
        () => "no error",
        (error: unknown) => String(error),
      );
    expect([
      await attempt(0, {}),
      await attempt(2, { share: 1.01 }),
      await attempt(2, { rotation: -1 }),
      await attempt(2, { scale: 0.6 }),
      await attempt(2, { shear: NaN }),
      await attempt(2, { shift: 17 }),
      await attempt(2, { elastic: 5 }),
      await attempt(2, {}, { seed: -1 }),
      await attempt(2, {}, { stream: 0.5 }),
      await attempt(2, {}, { keys: tensor([3]) }),
      await attempt(2, {}, { keys: tensor([2], "f32") }),
      await attempt(2, {}, { counter: tensor([2]) }),
    ]).toMatchInlineSnapshot(`
      [
        "ShapeError: drawWarps: count is 0; expected a whole number from 1 up",
        "InputError: drawWarps: share is 1.01; expected a number from 0 to 1",
        "InputError: drawWarps: rotation is -1; expected a number from 0 to 45",
        "InputError: drawWarps: scale is 0.6; expected a number from 0 to 0.5",
        "InputError: drawWarps: shear is NaN; expected a number from 0 to 0.5",
        "InputError: drawWarps: shift is 17; expected a number from 0 to 16",
        "InputError: drawWarps: elastic is 5; expected a number from 0 to 4",
        "InputError: drawWarps: seed is -1; expected a whole number from 0 to 4294967295",
        "InputError: drawWarps: stream is 0.5; expected a whole number from 0 to 4294967295",
        "ShapeError: drawWarps: keys is [3]; expected [2]",
        "DTypeError: drawWarps: keys ("t") holds f32; expected u32",
        "ShapeError: drawWarps: counter is [2]; expected [1]",
      ]
    `);
  });
});

describe("warpBlends", () => {
  it("shows the reference's very pixels", async () => {
    await fc.assert(
      fc.asyncProperty(problem, async ({ n, channels, height, width, batch, seed, ranges }) => {
        const images = randomImages([n, channels, height, width], seed);
        const warps = u32(draws(batch, ranges, seed), [batch, warpWords(ranges)]);
        await expectSame(
          devices,
          { images, ...randomBlend(batch, n, seed), warps },
          (recorder, { images, warps, ...blend }) => ({
            out: warpBlends(recorder, images, blend, warps, asTheyAre(channels)),
          }),
          EXACT,
        );
      }),
      { numRuns: 60 },
    );
  });

  it("normalises, and takes images of several workgroups", async () => {
    await expectSame(
      devices,
      {
        images: randomImages([3, 3, 70, 66], 5),
        ...randomBlend(5, 3, 5),
        warps: u32(draws(5, WILD), [5, WARP_WORDS]),
      },
      (recorder, { images, warps, ...blend }) => ({
        out: warpBlends(recorder, images, blend, warps, { mean: [0.49, 0.48, 0.44], std: [0.2, 0.25, 0.3] }),
      }),
      f32Tolerance(),
    );
  });

  it("wraps alike where a warp leads past 32 bits", async () => {
    const random = new Philox(9);
    const warps = u32(
      Uint32Array.from({ length: 40 * AFFINE_WORDS }, () => random.uint32()),
      [40, AFFINE_WORDS],
    );
    await expectSame(
      devices,
      { images: randomImages([3, 1, 9, 10], 5), ...randomBlend(40, 3, 5), warps },
      (recorder, { images, warps, ...blend }) => ({ out: warpBlends(recorder, images, blend, warps, asTheyAre(1)) }),
      EXACT,
    );
  });
});

/** Pixels of images of `shape` C H W, each warped by the words of its row. */
function warped(images: Input<"u8">, warps: Uint32Array): Uint8Array {
  const numbers = Uint32Array.from({ length: images.shape[0] }, (_, image) => image);
  const blend = { first: numbers, second: numbers, weight: numbers.map(() => 65536) };
  return warpPixelsReference(images.data as Uint8Array, blend, warps, images.shape.slice(1));
}

describe("a warp", () => {
  const shapes: Shape[] = [
    [1, 1, 1],
    [3, 5, 4],
    [1, 28, 28],
    [2, 7, 9],
  ];
  const affine = (...values: number[]) => new Uint32Array(Int32Array.from([...values, 0], (value) => value * 65536));
  const pixelsOf = (shape: Shape, place: (y: number, x: number) => [number, number]) => {
    const [channels, height, width] = shape;
    const image = randomImages([1, ...shape], 4);
    const out: number[] = [];
    for (let c = 0; c < channels; c++) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const [fromY, fromX] = place(y, x);
          const inside = fromY >= 0 && fromY < height && fromX >= 0 && fromX < width;
          out.push(inside ? image.data[(c * height + fromY) * width + fromX] : 0);
        }
      }
    }
    return out;
  };

  it.each(shapes)("of nothing is the image, a flip mirrors it: [%i, %i, %i]", (...shape) => {
    const image = randomImages([1, ...shape], 4);
    expect([...warped(image, draws(1, STILL))]).toEqual([...(image.data as Uint8Array)]);
    expect([...warped(image, draws(1, { ...WILD, share: 0, flip: false }))]).toEqual([...(image.data as Uint8Array)]);
    const mirrored = pixelsOf(shape, (y, x) => [y, shape[2] - 1 - x]);
    expect([...warped(image, affine(-1, 0, 0, 1, 0, 0))]).toEqual(mirrored);
    const flips = draws(40, { ...STILL, flip: true });
    const row = keysTo(40).find((key) => flips[key * AFFINE_WORDS] !== 65536)!;
    expect([...warped(image, flips.subarray(row * AFFINE_WORDS, (row + 1) * AFFINE_WORDS))]).toEqual(mirrored);
  });

  it.each(shapes)("by whole pixels is a shifted copy with black: [%i, %i, %i]", (...shape) => {
    const image = randomImages([1, ...shape], 4);
    expect([...warped(image, affine(1, 0, 0, 1, 2, -1))]).toEqual(pixelsOf(shape, (y, x) => [y - 1, x + 2]));
  });

  it("by a quarter turn turns", () => {
    const shape = [2, 5, 5];
    expect([...warped(randomImages([1, ...shape], 4), affine(0, -1, 1, 0, 0, 0))]).toEqual(
      pixelsOf(shape, (y, x) => [x, 4 - y]),
    );
  });

  it("between pixels is bilinear, rounded half up, and fades into black at the edge", () => {
    const image: Input<"u8"> = { shape: [1, 1, 2, 2], dtype: "u8", data: Uint8Array.of(10, 21, 100, 200) };
    // Half a pixel right: (10 + 21) / 2, 21 / 2, (100 + 200) / 2, 200 / 2.
    expect([...warped(image, affine(1, 0, 0, 1, 0.5, 0))]).toEqual([16, 11, 150, 100]);
    // A quarter down, an eighth left of it.
    const at = (a: number, b: number, c: number, d: number) => Math.floor(((a * 7 + b) * 3 + (c * 7 + d)) / 32 + 0.5);
    expect([...warped(image, affine(1, 0, 0, 1, 0.125, 0.25))]).toEqual([
      at(10, 21, 100, 200),
      at(21, 0, 200, 0),
      at(100, 200, 0, 0),
      at(200, 0, 0, 0),
    ]);
  });

  it("follows its displacements, bilinear between the nodes", () => {
    const [height, width] = [9, 9];
    const image: Input<"u8"> = {
      shape: [1, 1, height, width],
      dtype: "u8",
      data: Uint8Array.from({ length: 81 }, (_, index) => 20 * (index % 9) + 5 * Math.floor(index / 9)),
    };
    const warp = new Int32Array(WARP_WORDS);
    warp.set([65536, 0, 0, 65536, 0, 0, 1]);
    // Node (1, 2) lies on pixel (2, 4): moved by one right and two down; two pixels off it is nothing, one off the half.
    warp.set([65536, 2 * 65536], AFFINE_WORDS + 2 * 7);
    const expected = Array.from(image.data);
    for (let y = 1; y <= 3; y++) {
      for (let x = 3; x <= 5; x++) {
        const share = (1 - Math.abs(y - 2) / 2) * (1 - Math.abs(x - 4) / 2);
        expected[y * width + x] += Math.floor(share * (20 + 2 * 5) + 0.5);
      }
    }
    expect([...warped(image, new Uint32Array(warp.buffer))]).toEqual(expected);
    warp[6] = 0;
    expect([...warped(image, new Uint32Array(warp.buffer))]).toEqual(Array.from(image.data));
  });

  it("of a blend warps the blended pixels", () => {
    const { data, shape } = randomImages([5, 3, 7, 9], 8);
    const { first, second, weight } = randomBlend(20, 5, 8);
    const host = { first: first.data, second: second.data, weight: weight.data } as unknown as HostBlend;
    const pixels = new Uint8Array(20 * 3 * 7 * 9);
    blendPixelsReference(data as Uint8Array, host, pixels, 3 * 7 * 9);
    expect(warpPixelsReference(data as Uint8Array, host, draws(20, STILL), shape.slice(1))).toEqual(pixels);
    const warps = draws(20, WILD);
    expect(warpPixelsReference(data as Uint8Array, host, warps, shape.slice(1))).toEqual(
      warped({ shape: [20, 3, 7, 9], dtype: "u8", data: pixels }, warps),
    );
  });
});

describe("composeImages", () => {
  it("shows the reference's very pixels", async () => {
    await fc.assert(
      fc.asyncProperty(problem, async ({ n, channels, height, width, batch, seed, ranges }) => {
        await expectSame(
          devices,
          {
            images: randomImages([n, channels, height, width], seed),
            ...randomBlend(batch, n, seed),
            box: randomBoxes(batch, height, width, seed),
            warps: u32(draws(2 * batch, ranges, seed), [2 * batch, warpWords(ranges)]),
          },
          (recorder, { images, ...composition }) => ({
            out: composeImages(recorder, images, composition, asTheyAre(channels)),
          }),
          EXACT,
        );
      }),
      { numRuns: 60 },
    );
  });

  const images = randomImages([5, 3, 7, 9], 8);
  const pixels = images.data as Uint8Array;
  const size = 3 * 7 * 9;
  const host = (batch: number) => {
    const { first, second, weight } = randomBlend(batch, 5, 8);
    return { first: first.data, second: second.data, weight: weight.data } as {
      [Name in keyof Blend]: Uint32Array;
    };
  };

  it("is blendPixels where nothing is warped and there is no box", () => {
    const expected = new Uint8Array(20 * size);
    blendPixelsReference(pixels, host(20), expected, size);
    expect(composeOnHost(pixels, [3, 7, 9], { ...host(20), box: new Uint32Array(40) }, draws(40, STILL))).toEqual(
      expected,
    );
  });

  it("warps each image by its own row, before they are blended", () => {
    const { first, second, weight } = host(20);
    const warps = draws(40, WILD);
    const expected = new Uint8Array(20 * size);
    for (let b = 0; b < 20; b++) {
      const one = (image: number, row: number) => {
        const at = Math.min(image, 4) * size;
        const data = pixels.slice(at, at + size);
        return warped(
          { shape: [1, 3, 7, 9], dtype: "u8", data },
          warps.slice(row * WARP_WORDS, (row + 1) * WARP_WORDS),
        );
      };
      const both = Uint8Array.of(...one(first[b], 2 * b), ...one(second[b], 2 * b + 1));
      const blend = { first: Uint32Array.of(0), second: Uint32Array.of(1), weight: weight.slice(b, b + 1) };
      blendPixelsReference(both, blend, expected.subarray(b * size, (b + 1) * size), size);
    }
    expect(composeOnHost(pixels, [3, 7, 9], { first, second, weight, box: new Uint32Array(40) }, warps)).toEqual(
      expected,
    );
  });

  it("shows the second image alone within the box, whose ends are left out", () => {
    const composition = {
      first: Uint32Array.of(0),
      second: Uint32Array.of(3),
      weight: Uint32Array.of(65536),
      box: Uint32Array.of(2 | (5 << 16), 4 | (9 << 16)),
    };
    const expected = Array.from({ length: size }, (_, index) => {
      const [y, x] = [Math.floor(index / 9) % 7, index % 9];
      return pixels[(y >= 2 && y < 5 && x >= 4 && x < 9 ? 3 : 0) * size + index];
    });
    expect([...composeOnHost(pixels, [3, 7, 9], composition, draws(2, STILL))]).toEqual(expected);
  });
});

describe("warpBlends and composeImages", () => {
  it("say what does not fit", async () => {
    const tensor = <D extends DType>(shape: Shape, dtype: D) => createTensor(devices.cpu, shape, { dtype, name: "t" });
    const good = {
      images: tensor([4, 3, 8, 8], "u8") as Tensor,
      first: tensor([2], "u32") as Tensor,
      second: tensor([2], "u32") as Tensor,
      weight: tensor([2], "u32") as Tensor,
      box: tensor([2, 2], "u32") as Tensor,
      mean: [0, 0, 0],
      std: [1, 1, 1],
    };
    const errors = async (changed: Partial<typeof good> & { warps?: Tensor }) => {
      const { images, mean, std, warps, box, ...blend } = { ...good, ...changed } as typeof changed & {
        images: Tensor<"u8">;
        mean: number[];
        std: number[];
        box: Tensor<"u32">;
      } & Blend;
      const rows = (count: number) => (warps ?? tensor([count, AFFINE_WORDS], "u32")) as Tensor<"u32">;
      const attempts = [
        runKernel(devices.cpu, {}, (recorder) => ({
          out: warpBlends(recorder, images, blend, rows(2), { mean, std }),
        })),
        runKernel(devices.cpu, {}, (recorder) => ({
          out: composeImages(recorder, images, { ...blend, box, warps: rows(4) }, { mean, std }),
        })),
      ];
      const results = await Promise.allSettled(attempts);
      return results.map((result) => (result.status === "rejected" ? String(result.reason) : "no error"));
    };
    expect([
      await errors({}),
      await errors({ images: tensor([3, 8, 8], "u8") }),
      await errors({ images: tensor([4, 3, 8, 8], "f32") }),
      await errors({ images: tensor([1, 3, 1, 4097], "u8") }),
      await errors({ images: tensor([1, 5, 1, 1], "u8") }),
      await errors({ second: tensor([3], "u32") }),
      await errors({ weight: tensor([2], "f32") }),
      await errors({ mean: [0] }),
      await errors({ std: [1, 0, 1] }),
      await errors({ warps: tensor([3, AFFINE_WORDS], "u32") }),
      await errors({ warps: tensor([2, 8], "u32") }),
      await errors({ warps: tensor([2], "u32") }),
      await errors({ warps: tensor([2, AFFINE_WORDS], "f32") }),
      await errors({ box: tensor([2], "u32") }),
      await errors({ box: tensor([2, 2], "f32") }),
    ]).toMatchInlineSnapshot(`
      [
        [
          "no error",
          "no error",
        ],
        [
          "ShapeError: warpBlends: images is [3, 8, 8]; expected 4 axes (N C H W)",
          "ShapeError: composeImages: images is [3, 8, 8]; expected 4 axes (N C H W)",
        ],
        [
          "DTypeError: warpBlends: images ("t") holds f32; expected u8",
          "DTypeError: composeImages: images ("t") holds f32; expected u8",
        ],
        [
          "ShapeError: warpBlends: images are 1 × 4097 pixels; expected sides of at most 4096",
          "ShapeError: composeImages: images are 1 × 4097 pixels; expected sides of at most 4096",
        ],
        [
          "ShapeError: warpBlends: images have 5 channels; expected 1 to 4",
          "ShapeError: composeImages: images have 5 channels; expected 1 to 4",
        ],
        [
          "ShapeError: warpBlends: second is [3]; expected [2]",
          "ShapeError: composeImages: second is [3]; expected [2]",
        ],
        [
          "DTypeError: warpBlends: weight ("t") holds f32; expected u32",
          "DTypeError: composeImages: weight ("t") holds f32; expected u32",
        ],
        [
          "ShapeError: warpBlends: mean is [0]; expected 3 numbers, one a channel",
          "ShapeError: composeImages: mean is [0]; expected 3 numbers, one a channel",
        ],
        [
          "InputError: warpBlends: std is [1, 0, 1]; expected numbers above 0",
          "InputError: composeImages: std is [1, 0, 1]; expected numbers above 0",
        ],
        [
          "ShapeError: warpBlends: warps is [3, 7]; expected [2, 7] or [2, 57]",
          "ShapeError: composeImages: warps is [3, 7]; expected [4, 7] or [4, 57]",
        ],
        [
          "ShapeError: warpBlends: warps is [2, 8]; expected [2, 7] or [2, 57]",
          "ShapeError: composeImages: warps is [2, 8]; expected [4, 7] or [4, 57]",
        ],
        [
          "ShapeError: warpBlends: warps is [2]; expected 2 axes (B words)",
          "ShapeError: composeImages: warps is [2]; expected 2 axes (B words)",
        ],
        [
          "DTypeError: warpBlends: warps ("t") holds f32; expected u32",
          "DTypeError: composeImages: warps ("t") holds f32; expected u32",
        ],
        [
          "no error",
          "ShapeError: composeImages: box is [2]; expected [2, 2]",
        ],
        [
          "no error",
          "DTypeError: composeImages: box ("t") holds f32; expected u32",
        ],
      ]
    `);
    expect(() =>
      composeOnHost(
        new Uint8Array(4097),
        [1, 1, 4097],
        { first: new Uint32Array(1), second: new Uint32Array(1), weight: new Uint32Array(1), box: new Uint32Array(2) },
        draws(2, STILL),
      ),
    ).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: composeOnHost: images are 1 × 4097 pixels; expected sides of at most 4096]`,
    );
  });
});
