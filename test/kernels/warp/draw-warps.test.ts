import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  AFFINE_WORDS,
  drawWarps,
  drawWarpsReference,
  WARP_WORDS,
  warpWords,
  type WarpRanges,
} from "../../../src/kernels/warp/index.js";
import { createTensor, Philox, RandomStream, type DType, type Shape } from "../../../src/tensor/index.js";
import { EXACT } from "../../close.js";
import { useDevices } from "../../devices.js";
import { anySeed, expectSame, runKernel } from "../harness.js";
import { STILL, WILD, u32, anyRanges, keysTo, draws } from "./inputs.js";

const devices = useDevices();

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
    const identity = (words: ArrayLike<number>) => Array.from(words).join() === "1,0,0,1,0,0,0,1";
    const still = (warps: Uint32Array) => {
      const words = Array.from(new Int32Array(warps.buffer));
      return keysTo(1000).filter((row) =>
        identity(words.slice(row * WARP_WORDS, row * WARP_WORDS + AFFINE_WORDS).map((word) => word / 65536)),
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
      [{ brightness: 0.5 }, (warp) => [warp[7] - 1], 0.5],
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
      const elastic = numbers({ elastic: 1.5 }, (warp) =>
        warp.slice(AFFINE_WORDS).filter((_, index) => index % 2 === axis),
      );
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
      await attempt(2, { brightness: 1.1 }),
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
        "InputError: drawWarps: brightness is 1.1; expected a number from 0 to 1",
        "InputError: drawWarps: seed is -1; expected a whole number from 0 to 4294967295",
        "InputError: drawWarps: stream is 0.5; expected a whole number from 0 to 4294967295",
        "ShapeError: drawWarps: keys is [3]; expected [2]",
        "DTypeError: drawWarps: keys ("t") holds f32; expected u32",
        "ShapeError: drawWarps: counter is [2]; expected [1]",
      ]
    `);
  });
});
