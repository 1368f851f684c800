import { expect, it } from "vitest";
import { Pace } from "../../src/tensor/pace.js";

it("a recording's submits come to fill a quarter of a second, growing by no more than four times", () => {
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
