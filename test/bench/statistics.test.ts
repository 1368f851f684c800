import fc from "fast-check";
import { expect, it } from "vitest";
import { ratesOf } from "../../bench/ceilings/index.js";
import { summarise } from "../../bench/statistics.js";

it("gives the middle of an odd number of samples, and the mean of the middle two of an even one", () => {
  expect(summarise([3, 1, 2])).toEqual({ median: 2, lowest: 1, highest: 3 });
  expect(summarise([4, 1, 10, 2])).toEqual({ median: 3, lowest: 1, highest: 10 });
  expect(summarise([7])).toEqual({ median: 7, lowest: 7, highest: 7 });
});

it("has at most half of the samples on either side of the median, and leaves them in their order", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 1e-6, max: 1e3, noNaN: true }), { minLength: 1 }), (samples) => {
      const before = [...samples];
      const { median, lowest, highest } = summarise(samples);
      expect(samples).toEqual(before);
      expect(samples.filter((sample) => sample < median).length).toBeLessThanOrEqual(samples.length / 2);
      expect(samples.filter((sample) => sample > median).length).toBeLessThanOrEqual(samples.length / 2);
      expect([lowest, highest]).toEqual([Math.min(...samples), Math.max(...samples)]);
    }),
  );
});

it("turns the quickest run into the highest rate", () => {
  expect(ratesOf([2, 1, 4], 8)).toEqual({ median: 4, lowest: 2, highest: 8 });
});
