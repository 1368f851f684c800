import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blendPixelsReference, type HostBlend } from "../../../src/kernels/mixup/index.js";
import {
  AFFINE_WORDS,
  WARP_WORDS,
  warpBlends,
  warpPixelsReference,
  warpWords,
} from "../../../src/kernels/warp/index.js";
import { Philox, type Shape } from "../../../src/tensor/index.js";
import { EXACT, f32Tolerance } from "../../close.js";
import { useDevices } from "../../devices.js";
import { expectSame, type Input } from "../harness.js";
import { STILL, WILD, asTheyAre, u32, randomImages, randomBlend, problem, keysTo, draws, warped } from "./inputs.js";

const devices = useDevices();

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

describe("a warp", () => {
  const shapes: Shape[] = [
    [1, 1, 1],
    [3, 5, 4],
    [1, 28, 28],
    [2, 7, 9],
  ];
  const affine = (...values: number[]) => new Uint32Array(Int32Array.from([...values, 0, 1], (value) => value * 65536));
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

  it("makes pixels brighter or darker, rounded half up, within 0 to 255", () => {
    const image: Input<"u8"> = { shape: [1, 1, 1, 4], dtype: "u8", data: Uint8Array.of(0, 3, 200, 255) };
    const by = (brightness: number) => {
      const warp = affine(1, 0, 0, 1, 0, 0);
      warp[7] = brightness * 65536;
      return [...warped(image, warp)];
    };
    expect([by(1), by(1.5), by(2), by(0.5), by(0)]).toEqual([
      [0, 3, 200, 255],
      [0, 5, 255, 255],
      [0, 6, 255, 255],
      [0, 2, 100, 128],
      [0, 0, 0, 0],
    ]);
  });

  it("rounds places to 256ths of a pixel, half up", () => {
    const image: Input<"u8"> = { shape: [1, 1, 1, 2], dtype: "u8", data: Uint8Array.of(0, 255) };
    const right = (units: number) => [...warped(image, affine(1, 0, 0, 1, units / 65536, 0))][0];
    // 255 / 256 is the first pixel's value a 256th of a pixel to the right.
    expect([127, 128, 383, 384].map(right)).toEqual([0, 1, 1, 2]);
  });

  it("follows its displacements, bilinear between the nodes", () => {
    const [height, width] = [9, 9];
    const image: Input<"u8"> = {
      shape: [1, 1, height, width],
      dtype: "u8",
      data: Uint8Array.from({ length: 81 }, (_, index) => 20 * (index % 9) + 5 * Math.floor(index / 9)),
    };
    const warp = new Int32Array(WARP_WORDS);
    warp.set([65536, 0, 0, 65536, 0, 0, 1, 65536]);
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
