import { describe, expect, it } from "vitest";
import { Pace } from "../../src/tensor/pace.js";

describe("a recording's pace", () => {
  it("expects nothing of the first submit, which may compile, and then what was measured", () => {
    const pace = new Pace();
    expect(pace.expected(1)).toBe(0);
    pace.measured(1, 4000);
    expect(pace.expected(1)).toBe(0);
    pace.measured(1, 20);
    expect(pace.expected(10)).toBe(200);
  });

  it("fills a quarter of a second, growing by no more than four times", () => {
    const pace = new Pace();
    pace.measured(1, 1);
    expect(pace.runs).toBe(4);
    pace.measured(4, 4);
    pace.measured(16, 16);
    pace.measured(64, 64);
    expect(pace.runs).toBe(250);
    pace.measured(250, 1_000_000);
    expect(pace.runs).toBe(1);
  });

  it("sleeps less and less where the work was done before the sleep was over, until it sees how long it takes", () => {
    const pace = new Pace();
    pace.measured(1, 100);
    pace.measured(1, 100);
    pace.measured(10, 901);
    expect(pace.expected(10)).toBeCloseTo(0.75 * 901);
    pace.measured(10, 610);
    expect(pace.expected(10)).toBeCloseTo(0.75 * 610);
    pace.measured(10, 600);
    expect(pace.expected(10)).toBe(600);
  });
});
