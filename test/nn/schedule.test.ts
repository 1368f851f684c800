import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/errors.js";
import {
  checkSchedule,
  limitWarmup,
  milestoneSteps,
  paperSchedule,
  scheduleRates,
  type Schedule,
} from "../../src/nn/schedule.js";

/** The rates as f64, rounded to seven digits, which f32 holds. */
const rates = (schedule: Schedule, steps: number) => [...scheduleRates(schedule, steps)].map((r) => +r.toPrecision(6));

describe("scheduleRates", () => {
  it("keeps a constant rate", () => {
    expect(scheduleRates({ kind: "constant", rate: 0.1 }, 3)).toEqual(Float32Array.of(0.1, 0.1, 0.1));
  });

  it("climbs linearly through the warm-up, its last step at the full rate", () => {
    expect(rates({ kind: "constant", rate: 0.4, warmup: 4 }, 6)).toEqual([0.1, 0.2, 0.3, 0.4, 0.4, 0.4]);
    expect(rates({ kind: "constant", rate: 0.4, warmup: 4 }, 2)).toEqual([0.1, 0.2]);
  });

  it("warms up for a fifth of a short training at most, so that this reaches the full rate", () => {
    const cosine: Schedule = { kind: "cosine", rate: 2, warmup: 100 };
    for (const [steps, warmup] of [
      [3, 0],
      [5, 1],
      [54, 10],
      [499, 99],
      [500, 100],
      [5000, 100],
    ]) {
      expect(limitWarmup(cosine, steps)).toEqual({ ...cosine, warmup });
      expect(Math.max(...scheduleRates(limitWarmup(cosine, steps), steps))).toBe(2);
    }
    expect(limitWarmup(paperSchedule, 5)).toEqual({ ...paperSchedule, warmup: 0 });
  });

  it("drops by the factor at each milestone, in the warm-up too", () => {
    const schedule: Schedule = { kind: "steps", rate: 8, milestones: [0.25, 0.5], factor: 0.5 };
    expect(rates(schedule, 8)).toEqual([8, 8, 4, 4, 2, 2, 2, 2]);
    expect(rates(schedule, 1)).toEqual([8]);
    expect(rates({ ...schedule, warmup: 4 }, 8)).toEqual([2, 4, 3, 4, 2, 2, 2, 2]);
  });

  it("follows the paper: 80 epochs at 0.01, 60 at 0.001, 40 at 1e-4, 20 at 1e-5", () => {
    const epochs = rates(paperSchedule, 200);
    expect([0.01, 0.001, 1e-4, 1e-5].map((rate) => epochs.filter((found) => found === rate).length)).toEqual([
      80, 60, 40, 20,
    ]);
    expect(milestoneSteps(paperSchedule, 200)).toEqual([80, 140, 180]);
    expect(milestoneSteps(paperSchedule, 1000)).toEqual([400, 700, 900]);
  });

  it("falls along a cosine from the end of the warm-up to the floor", () => {
    const half = Math.SQRT1_2;
    const expected = [1, (1 + half) / 2, 0.5, (1 - half) / 2].map((share) => +(2 + 8 * share).toPrecision(6));
    expect(rates({ kind: "cosine", rate: 10, floor: 2 }, 4)).toEqual(expected);
    expect(rates({ kind: "cosine", rate: 10, floor: 2, warmup: 2 }, 6)).toEqual([5, 10, ...expected]);
    expect(rates({ kind: "cosine", rate: 10, warmup: 2 }, 2)).toEqual([5, 10]);
    expect(rates({ kind: "cosine", rate: 10, warmup: 5 }, 2)).toEqual([2, 4]);
    expect(scheduleRates({ kind: "cosine", rate: 1 }, 1000)[999]).toBeCloseTo((Math.PI / 2000) ** 2, 9);
  });

  const rate = fc.double({ min: 1e-6, max: 10, noNaN: true });
  const warmup = fc.nat(50);
  const schedules: fc.Arbitrary<Schedule> = fc.oneof(
    fc.record({ kind: fc.constant("constant" as const), rate, warmup }),
    fc.record({
      kind: fc.constant("steps" as const),
      rate,
      warmup,
      factor: fc.double({ min: 0.01, max: 0.99, noNaN: true }),
      milestones: fc
        .uniqueArray(fc.double({ min: 0.01, max: 0.99, noNaN: true }), { maxLength: 4 })
        .map((shares) => shares.sort((a, b) => a - b)),
    }),
    fc
      .record({ kind: fc.constant("cosine" as const), rate, warmup })
      .chain((schedule) =>
        fc.double({ min: 0, max: 1, noNaN: true }).map((share) => ({ ...schedule, floor: share * schedule.rate })),
      ),
  );

  it("never exceeds the rate, is above 0, never rises after the warm-up, and survives JSON", () => {
    fc.assert(
      fc.property(schedules, fc.integer({ min: 1, max: 300 }), (schedule, steps) => {
        const found = scheduleRates(schedule, steps);
        expect(found.length).toBe(steps);
        expect(Math.max(...found)).toBeLessThanOrEqual(Math.fround(schedule.rate));
        expect(Math.min(...found)).toBeGreaterThan(0);
        const after = [...found].slice(schedule.warmup);
        expect(after).toEqual(after.toSorted((a, b) => b - a));
        const again: unknown = JSON.parse(JSON.stringify(schedule));
        checkSchedule(again, "config.json: schedule");
        expect(scheduleRates(again, steps)).toEqual(found);
      }),
    );
  });

  it.each([0, -1, 1.5, NaN, Infinity])("refuses %s steps", (steps) => {
    expect(() => scheduleRates({ kind: "constant", rate: 1 }, steps)).toThrow(InputError);
  });
});

describe("checkSchedule", () => {
  const steps = { kind: "steps", rate: 1, milestones: [0.5], factor: 0.1 };
  it.each<[unknown, string]>([
    [null, "null, expected an object"],
    ["cosine", '"cosine", expected an object'],
    [{ rate: 1 }, "kind is undefined, expected constant, steps or cosine"],
    [{ kind: "toString", rate: 1 }, 'kind is "toString"'],
    [{ kind: ["steps"], rate: 1 }, 'kind is ["steps"]'],
    [{ kind: "constant" }, "rate is undefined"],
    [{ kind: "constant", rate: 0 }, "rate is 0, expected a number above 0"],
    [{ kind: "constant", rate: "1" }, 'rate is "1"'],
    [{ kind: "constant", rate: 1e39 }, "rate is 1e+39"],
    [{ kind: "constant", rate: 1, warmup: -1 }, "warmup is -1"],
    [{ kind: "constant", rate: 1, warmup: 0.5 }, "warmup is 0.5"],
    [{ kind: "constant", rate: 1, floor: 0 }, 'has "floor", expected kind, rate, warmup for constant'],
    [{ kind: "cosine", rate: 1, floor: 2 }, "floor is 2, expected 0 to 1"],
    [{ kind: "cosine", rate: 1, floor: -1 }, "floor is -1"],
    [{ kind: "cosine", rate: 1, warmUp: 3 }, 'has "warmUp"'],
    [{ ...steps, factor: undefined }, "factor is undefined"],
    [{ ...steps, factor: 1 }, "factor is 1"],
    [{ ...steps, factor: 0 }, "factor is 0"],
    [{ ...steps, milestones: undefined }, "milestones is undefined"],
    [{ ...steps, milestones: [80, 140] }, "milestones is [80,140], expected ascending shares"],
    [{ ...steps, milestones: [0, 0.5] }, "milestones is [0,0.5]"],
    [{ ...steps, milestones: [0.5, 0.5] }, "milestones is [0.5,0.5]"],
    [{ ...steps, milestones: [0.5, 1] }, "milestones is [0.5,1]"],
    [{ ...steps, milestones: ["0.5"] }, 'milestones is ["0.5"]'],
  ])("refuses %j", (value, message) => {
    expect(() => {
      checkSchedule(value, "--schedule");
    }).toThrow(InputError);
    expect(() => {
      checkSchedule(value, "--schedule");
    }).toThrow(`--schedule: ${message}`);
  });

  it("takes what may be left out as left out", () => {
    for (const value of [
      { kind: "constant", rate: 1 },
      { kind: "cosine", rate: 1 },
      { ...steps, milestones: [] },
    ]) {
      expect(() => {
        checkSchedule(value, "schedule");
      }).not.toThrow();
    }
  });
});
