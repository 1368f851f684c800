import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createTensor,
  Philox,
  philox4x32,
  RandomStream,
  readTensor,
  runOnce,
  unitFloat,
  type Device,
} from "../../src/tensor/index.js";
import philoxSource from "../../src/tensor/philox.wgsl?raw";
import { useDevices } from "../devices.js";

type Words = [number, number, number, number];

const hex = (words: readonly number[]) => words.map((word) => word.toString(16).padStart(8, "0")).join(" ");

describe("philox4x32", () => {
  // kat_vectors of Random123 (Salmon et al.), philox4x32 with 10 rounds.
  it.each<[string, Words, [number, number], string]>([
    ["zeros", [0, 0, 0, 0], [0, 0], "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
    [
      "ones",
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      "408f276d 41c83b0e a20bc7c6 6d5451fd",
    ],
    [
      "the digits of pi",
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      "d16cfe09 94fdcceb 5001e420 24126ea1",
    ],
  ])("gives the published words for %s", (_, counter, key, expected) => {
    expect(hex(philox4x32(counter, key))).toBe(expected);
  });
});

const devices = useDevices();

/** The device's words for each counter, and the first of each four as a number in [0, 1). */
async function deviceWords(device: Device, counters: Words[], key: [number, number]) {
  const input = createTensor(device, [counters.length, 4], { dtype: "u32", data: counters.flat() });
  const words = createTensor(device, [counters.length, 4], { dtype: "u32" });
  const floats = createTensor(device, [counters.length]);
  await runOnce(device, (recorder) => {
    recorder.add({
      kernel: "words",
      reads: [input],
      writes: [words, floats],
      reference: () => undefined,
      plan: () => ({
        program: { name: "test/words", source: [philoxSource, WORDS] },
        params: key,
        grid: [counters.length, 1, 1],
      }),
    });
  });
  const result = { words: await readTensor(words), floats: await readTensor(floats) };
  for (const tensor of [input, words, floats]) tensor.dispose();
  return result;
}

const WORDS = `
struct Params { key0: u32, key1: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> counters: array<vec4u>;
@group(0) @binding(2) var<storage, read_write> words: array<vec4u>;
@group(0) @binding(3) var<storage, read_write> floats: array<f32>;
@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) group: vec3u) {
  let drawn = philox(counters[group.x], vec2u(params.key0, params.key1));
  words[group.x] = drawn;
  floats[group.x] = unit_float(drawn.x);
}`;

describe("philox.wgsl", () => {
  it("gives the bits of philox4x32, whatever counter and key", async () => {
    const word = fc.oneof(fc.integer({ min: 0, max: 0xffffffff }), fc.constantFrom(0, 1, 0xffff, 0x10000, 0xffffffff));
    const counters = fc.array(fc.tuple(word, word, word, word), { minLength: 100, maxLength: 1000 });
    await fc.assert(
      fc.asyncProperty(counters, fc.tuple(word, word), async (list, key) => {
        const { words, floats } = await deviceWords(devices.gpu, list, key);
        const expected = list.map((counter) => philox4x32(counter, key));
        expect([...words]).toEqual(expected.flat());
        expect([...floats]).toEqual(expected.map(([first]) => unitFloat(first)));
      }),
      { numRuns: 20 },
    );
  });
});

const seed = fc.integer({ min: 0, max: 0xffffffff });

describe("Philox", () => {
  it("draws the words of the counters 0, 1, 2 … of its stream", () => {
    fc.assert(
      fc.property(seed, fc.nat(20), fc.nat(0xffffffff), (value, stream, substream) => {
        const random = new Philox(value, stream, substream);
        const drawn = Array.from({ length: 12 }, () => random.uint32());
        expect(drawn).toEqual([0, 1, 2].flatMap((block) => philox4x32([block, substream, stream, 0], [value, 0])));
      }),
    );
  });

  it("gives other numbers to every stream", () => {
    const streams = Object.values(RandomStream);
    expect(new Set(streams).size).toBe(streams.length);
    expect(new Set(streams.map((stream) => new Philox(1, stream).uint32())).size).toBe(streams.length);
  });

  it("draws floats in [0, 1) with mean 1/2 and normals with mean 0 and variance 1", () => {
    const random = new Philox(5);
    const count = 100_000;
    let [sum, normals, squares, outside] = [0, 0, 0, 0];
    for (let draw = 0; draw < count; draw++) {
      const value = random.float();
      if (!(value >= 0 && value < 1)) outside++;
      sum += value;
      const normal = random.normal();
      normals += normal;
      squares += normal * normal;
    }
    expect(outside).toBe(0);
    // Four standard errors of each.
    expect(Math.abs(sum / count - 0.5)).toBeLessThan(4 * Math.sqrt(1 / 12 / count));
    expect(Math.abs(normals / count)).toBeLessThan(4 / Math.sqrt(count));
    expect(Math.abs(squares / count - 1)).toBeLessThan(4 * Math.sqrt(2 / count));
    expect(unitFloat(0xffffffff)).toBeLessThan(1);
  });

  it("draws below every bound, each value as often", () => {
    fc.assert(
      fc.property(seed, fc.integer({ min: 1, max: 0x100000000 }), (value, bound) => {
        const random = new Philox(value);
        for (let draw = 0; draw < 20; draw++) {
          const drawn = random.below(bound);
          expect(Number.isInteger(drawn) && drawn >= 0 && drawn < bound).toBe(true);
        }
      }),
    );
    const counts = new Array<number>(7).fill(0);
    const random = new Philox(3);
    for (let draw = 0; draw < 70_000; draw++) counts[random.below(7)]++;
    // χ² with 6 degrees of freedom is above 22.5 once in a thousand seeds; this seed is fixed.
    expect(counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0)).toBeLessThan(22.5);
  });

  it("is not biased towards small values for bounds that do not divide 2^32", () => {
    // Below 3·2^30, word % bound alone would give a third of the values twice as often.
    const random = new Philox(11);
    const bound = 3 * 2 ** 30;
    let low = 0;
    for (let draw = 0; draw < 30_000; draw++) if (random.below(bound) < 2 ** 30) low++;
    expect(Math.abs(low - 10_000)).toBeLessThan(4 * Math.sqrt(30_000 * (1 / 3) * (2 / 3)));
  });

  it("shuffles to a permutation, and to every one of them", () => {
    fc.assert(
      fc.property(seed, fc.nat(200), (value, length) => {
        const items = Uint32Array.from({ length }, (_, index) => index);
        expect(new Philox(value).shuffle(items)).toBe(items);
        expect([...items].sort((a, b) => a - b)).toEqual([...items.keys()]);
      }),
    );
    const seen = new Map<string, number>();
    const random = new Philox(9);
    for (let draw = 0; draw < 24_000; draw++) {
      const order = random.shuffle([0, 1, 2, 3]).join("");
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
    expect(seen.size).toBe(24);
    for (const count of seen.values()) expect(Math.abs(count - 1000)).toBeLessThan(5 * Math.sqrt(1000));
  });

  it("samples distinct values in ascending order, each as often", () => {
    const sizes = fc.nat(300).chain((bound) => fc.tuple(fc.nat(bound), fc.constant(bound)));
    fc.assert(
      fc.property(seed, sizes, (value, [count, bound]) => {
        const sample = new Philox(value).sample(count, bound);
        expect(sample.length).toBe(count);
        for (let index = 0; index < count; index++) {
          expect(sample[index]).toBeLessThan(bound);
          if (index > 0) expect(sample[index]).toBeGreaterThan(sample[index - 1]);
        }
      }),
    );
    const large = new Philox(1).sample(2 ** 20 + 7, 2 ** 21);
    expect(large.length).toBe(2 ** 20 + 7);
    expect(large.every((number, index) => index === 0 || number > large[index - 1])).toBe(true);
    expect(large.at(-1)).toBeLessThan(2 ** 21);
    const counts = new Array<number>(5).fill(0);
    const random = new Philox(2);
    for (let draw = 0; draw < 10_000; draw++) for (const value of random.sample(2, 5)) counts[value]++;
    for (const count of counts) expect(Math.abs(count - 4000)).toBeLessThan(4 * Math.sqrt(10_000 * 0.4 * 0.6));
  });

  it("refuses bounds that no number is below, and samples that are too large", () => {
    const random = new Philox(1);
    expect(() => random.sample(5, NaN)).toThrow(RangeError);
    for (const seed of [-1, 0.5, NaN, 2 ** 32, undefined]) {
      expect(() => new Philox(seed as number)).toThrow(`seed ${seed}; expected a whole number from 0 to 4294967295`);
    }
    expect(() => random.below(0)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: random number below 0; expected a whole number from 1 to 4294967296]`,
    );
    expect(() => random.below(2 ** 32 + 1)).toThrow(RangeError);
    expect(() => random.below(NaN)).toThrow(RangeError);
    expect(() => random.below(2.5)).toThrow(RangeError);
    expect(() => random.sample(6, 5)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: sample of 6 out of 5; expected a whole number from 0 to 5]`,
    );
    expect(() => random.sample(-1, 5)).toThrow(RangeError);
  });
});
