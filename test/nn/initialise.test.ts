import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fansOf, kaimingNormal, ones, uniformFanIn, xavierUniform, zeros } from "../../src/nn/initialise.js";
import { Philox, RandomStream } from "../../src/tensor/index.js";

const random = (seed = 0, substream = 0) => new Philox(seed, RandomStream.initialise, substream);

function moments(data: Float32Array) {
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  const power = (exponent: number) => data.reduce((sum, value) => sum + (value - mean) ** exponent, 0) / data.length;
  return { mean, variance: power(2), kurtosis: power(4) / power(2) ** 2 };
}

/** Largest distance between the share of values below x and `cumulative(x)`: the Kolmogorov–Smirnov statistic. */
function distance(data: Float32Array, cumulative: (x: number) => number): number {
  return data.toSorted().reduce((most, x, index) => Math.max(most, Math.abs(index / data.length - cumulative(x))), 0);
}

/** 200 × 250 weights of a 5 × 2 kernel: 500,000 numbers, fan-in 2500, fan-out 2000. */
const shape = [200, 250, 5, 2];
const fans = { fanIn: 2500, fanOut: 2000 };

describe("fansOf", () => {
  it("counts a linear layer's and a convolution's", () => {
    expect(fansOf([10, 84])).toEqual({ fanIn: 84, fanOut: 10 });
    expect(fansOf([16, 6, 5, 5])).toEqual({ fanIn: 150, fanOut: 400 });
    expect(fansOf(shape)).toEqual(fans);
  });
});

describe.each([
  { name: "uniformFanIn", initialise: uniformFanIn(shape, fans.fanIn), bound: 0.02 },
  { name: "xavierUniform", initialise: xavierUniform(shape, fans), bound: Math.sqrt(6 / 4500) },
])("$name", ({ initialise, bound }) => {
  it("is uniform between its bounds", () => {
    const data = initialise(random());
    expect(data.length).toBe(500_000);
    expect(Math.max(...data.subarray(0, 100_000))).toBeGreaterThan(0.999 * bound);
    for (const value of [data.reduce((a, b) => Math.max(a, b)), -data.reduce((a, b) => Math.min(a, b))]) {
      expect(value).toBeLessThanOrEqual(Math.fround(bound));
      expect(value).toBeGreaterThan(0.9999 * bound);
    }
    // 1.95 / √500,000: exceeded by chance once in a thousand seeds.
    expect(distance(data, (x) => (x / bound + 1) / 2)).toBeLessThan(0.00276);
    expect(moments(data).variance / (bound ** 2 / 3)).toBeCloseTo(1, 2);
  });
});

describe("kaimingNormal", () => {
  it("is normal with variance 2 / fan-out", () => {
    const { mean, variance, kurtosis } = moments(kaimingNormal(shape, fans.fanOut)(random()));
    // Five standard errors each.
    expect(Math.abs(mean)).toBeLessThan((5 * Math.sqrt(0.001)) / Math.sqrt(500_000));
    expect(Math.abs(variance / 0.001 - 1)).toBeLessThan(5 * Math.sqrt(2 / 500_000));
    expect(Math.abs(kurtosis - 3)).toBeLessThan(5 * Math.sqrt(24 / 500_000));
  });
});

describe("zeros and ones", () => {
  it("fill the shape and draw nothing", () => {
    const sequence = random();
    expect(zeros([2, 3])(sequence)).toEqual(new Float32Array(6));
    expect(ones([2])(sequence)).toEqual(Float32Array.of(1, 1));
    expect(sequence.uint32()).toBe(random().uint32());
  });
});

describe("every random initialiser", () => {
  const initialisers = [uniformFanIn([64], 9), kaimingNormal([64], 9), xavierUniform([64], { fanIn: 9, fanOut: 4 })];

  it("draws the same from the same seed and substream, and something else from others", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(200), fc.constantFrom(...initialisers), (seed, substream, initialise) => {
        const data = initialise(random(seed, substream));
        expect(initialise(random(seed, substream))).toEqual(data);
        for (const other of [random(seed + 1, substream), random(seed, substream + 1)]) {
          const shared = initialise(other).filter((value, index) => value === data[index]);
          expect(shared.length).toBeLessThan(4);
        }
      }),
    );
  });

  it("does not change from one version to the next", () => {
    const first = initialisers.map((initialise) => initialise(random(7, 3))[0]);
    for (const [index, value] of [-0.3179989, 0.0962038, -0.6481131].entries()) {
      expect(first[index]).toBeCloseTo(value, 6);
    }
  });
});
