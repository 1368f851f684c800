import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GAIN, median, millisecondsOf, winnerOf, worthwhile, type Timing } from "../../../src/kernels/tune/measured.js";

const time = fc.double({ min: 1e-3, max: 1e4, noNaN: true });
const timing: fc.Arbitrary<Timing> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ milliseconds: fc.array(time, { minLength: 1, maxLength: 7 }) }) },
  fc.record({ failure: fc.string() }),
);
const variants = ["direct", "tiled", "subgroup", "deep"];
const measured = fc.record({
  byRule: fc.constantFrom(...variants),
  timings: fc.dictionary(fc.constantFrom(...variants), timing),
});

const times = (...entries: [string, ...number[]][]) =>
  Object.fromEntries(entries.map(([variant, ...milliseconds]) => [variant, { milliseconds }]));

describe("the median", () => {
  it("is the middle one, or between the two in the middle", () => {
    expect(median([3])).toBe(3);
    expect(median([9, 1, 2])).toBe(2);
    expect(median([4, 100, 1, 2])).toBe(3);
  });

  it("lies within the numbers, in whatever order they come", () => {
    fc.assert(
      fc.property(fc.array(time, { minLength: 1 }), (numbers) => {
        const middle = median(numbers);
        expect(numbers.filter((number) => number <= middle).length).toBeGreaterThanOrEqual(numbers.length / 2);
        expect(numbers.filter((number) => number >= middle).length).toBeGreaterThanOrEqual(numbers.length / 2);
        expect(median([...numbers].reverse())).toBe(middle);
      }),
    );
  });
});

describe("the winner", () => {
  it("is another than the rule's where that is faster by more than the noise", () => {
    expect(winnerOf({ byRule: "tiled", timings: times(["tiled", 1], ["direct", 0.5], ["subgroup", 0.4]) })).toBe(
      "subgroup",
    );
    expect(winnerOf({ byRule: "tiled", timings: times(["tiled", 1], ["direct", 1 - GAIN]) })).toBe("direct");
    expect(winnerOf({ byRule: "tiled", timings: times(["tiled", 1], ["direct", 0.97]) })).toBe("tiled");
  });

  it("is decided by medians, so that one slow sample costs nothing", () => {
    const timings = times(["tiled", 1, 1, 1], ["direct", 0.5, 90, 0.5]);
    expect(winnerOf({ byRule: "tiled", timings })).toBe("direct");
  });

  it("is not one that is faster only because the rule's was disturbed", () => {
    const disturbed = times(["tiled", 0.63, 0.41, 0.27, 0.45, 0.49], ["direct", 0.48, 0.38, 0.39, 0.42, 0.34]);
    expect(winnerOf({ byRule: "tiled", timings: disturbed })).toBe("tiled");
    const lucky = times(["tiled", 1, 1, 1], ["direct", 1.1, 0.5, 1.1]);
    expect(winnerOf({ byRule: "tiled", timings: lucky })).toBe("tiled");
  });

  it("is another where the rule's fails, and the rule's where all fail or nothing was measured", () => {
    const failed = { tiled: { failure: "wrong" } };
    expect(winnerOf({ byRule: "tiled", timings: { ...failed, ...times(["direct", 900]) } })).toBe("direct");
    expect(winnerOf({ byRule: "tiled", timings: { ...failed, direct: { failure: "wrong" } } })).toBe("tiled");
    expect(winnerOf({ byRule: "tiled", timings: {} })).toBe("tiled");
    expect(winnerOf({ byRule: "constructor", timings: {} })).toBe("constructor");
  });

  it("is never one that failed while another did not, and never slower than the rule's", () => {
    fc.assert(
      fc.property(measured, (problem) => {
        const winner = winnerOf(problem);
        const milliseconds = millisecondsOf(problem, winner);
        const all = variants.map((variant) => millisecondsOf(problem, variant)).filter((each) => each !== undefined);
        if (all.length === 0) {
          expect(winner).toBe(problem.byRule);
          return;
        }
        expect(milliseconds).toBeDefined();
        expect(milliseconds).toBeLessThanOrEqual(millisecondsOf(problem, problem.byRule) ?? Infinity);
        if (millisecondsOf(problem, problem.byRule) === undefined) expect(milliseconds).toBe(Math.min(...all));
      }),
    );
  });
});

describe("candidates worth measuring further", () => {
  it("are those within three times the shortest first sample", () => {
    expect(worthwhile([1, 2.9, 3, 3.1, 0.99])).toEqual([0, 1, 4]);
    expect(worthwhile([7])).toEqual([0]);
  });

  it("hold the shortest, and nothing that is left out is shorter than what is kept", () => {
    fc.assert(
      fc.property(fc.array(time, { minLength: 1, maxLength: 9 }), (first) => {
        const kept = worthwhile(first);
        expect(kept).toContain(first.indexOf(Math.min(...first)));
        const longest = Math.max(...kept.map((index) => first[index]));
        for (const index of first.keys()) expect(kept.includes(index)).toBe(first[index] <= longest);
      }),
    );
  });
});
