import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeTuning,
  encodeTuning,
  tuningKey,
  tuningName,
  variantsOf,
  withMeasured,
  type TuningKey,
} from "../../../src/kernels/tune/tuning.js";
import type { Measured, Timing } from "../../../src/kernels/tune/measured.js";
import { CpuDevice } from "../../../src/tensor/index.js";

const key: TuningKey = {
  adapter: "a card",
  vendor: "a vendor",
  driver: "1.2.3",
  implementation: "Dawn (webgpu 0.6.2)",
  toggles: ["fast", "-slow"],
  kernels: "abc",
};

const measuredOf = (name: string, byRule: string, timings: Record<string, Timing>): Measured => ({
  key: name,
  byRule,
  date: "2026-11-24T06:00:00.000Z",
  timings,
});

const first = measuredOf("matmul 1x2x3 nn", "tiled", {
  tiled: { milliseconds: [2, 2.5] },
  register: { milliseconds: [1, 1.1] },
  subgroup: { failure: "no answer" },
});
const second = measuredOf("matmul 4x5x6 nn", "tiled", { tiled: { milliseconds: [1] } });
const tuning = { key, problems: [first, second] };

const timing: fc.Arbitrary<Timing> = fc.oneof(
  fc.record({ milliseconds: fc.array(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), { minLength: 1 }) }),
  fc.record({ failure: fc.string() }),
);
const anyMeasured: fc.Arbitrary<Measured> = fc.record({
  key: fc.string(),
  byRule: fc.string(),
  date: fc.constant("2026-11-24T06:00:00.000Z"),
  timings: fc.dictionary(fc.string(), timing),
});

describe("what tuning remembers", () => {
  it("comes back as it was, all timings and reasons", () => {
    fc.assert(
      fc.property(fc.array(anyMeasured), (problems) => {
        const text = encodeTuning({ key, problems });
        // JSON has no objects without a prototype and no −0; both are as good as what comes back.
        expect(decodeTuning(text, key)).toEqual(JSON.parse(JSON.stringify({ key, problems })));
      }),
    );
  });

  it("counts for nothing with any other device, driver, implementation, toggles or kernels", () => {
    const text = encodeTuning(tuning);
    for (const member of Object.keys(key) as (keyof TuningKey)[]) {
      const other = { ...key, [member]: member === "toggles" ? ["fast"] : "another" };
      expect(decodeTuning(text, other), member).toBeUndefined();
    }
    const shuffled = Object.fromEntries(Object.entries(key).reverse()) as unknown as TuningKey;
    expect(decodeTuning(text, shuffled)).toEqual(tuning);
  });

  it("counts for nothing where the file is cut short or damaged", () => {
    const text = encodeTuning(tuning);
    // Without the line feed at its end it is whole still.
    for (let length = 0; length < text.trimEnd().length; length++) {
      expect(decodeTuning(text.slice(0, length), key)).toBeUndefined();
    }
    fc.assert(
      fc.property(fc.json(), (other) => {
        expect(decodeTuning(other, key)).toBeUndefined();
      }),
    );
  });

  it.each<[string, (problem: Record<string, unknown>) => void]>([
    ["no key", (problem) => delete problem.key],
    ["no rule", (problem) => delete problem.byRule],
    ["a date that is none", (problem) => (problem.date = "yesterday")],
    ["no timings", (problem) => delete problem.timings],
    ["timings in a list", (problem) => (problem.timings = [])],
    ["a time of 0", (problem) => (problem.timings = { tiled: { milliseconds: [0] } })],
    ["a time that is no number", (problem) => (problem.timings = { tiled: { milliseconds: ["1"] } })],
    ["no samples", (problem) => (problem.timings = { tiled: { milliseconds: [] } })],
    ["neither time nor reason", (problem) => (problem.timings = { tiled: {} })],
    ["both time and reason", (problem) => (problem.timings = { tiled: { milliseconds: [1], failure: "" } })],
  ])("counts for nothing with %s", (_what, spoil) => {
    const file = JSON.parse(encodeTuning(tuning)) as { problems: Record<string, unknown>[] };
    spoil(file.problems[1]);
    expect(decodeTuning(JSON.stringify(file), key)).toBeUndefined();
  });

  it("counts for nothing in another format", () => {
    expect(decodeTuning(encodeTuning(tuning).replace('"format": 1', '"format": 2'), key)).toBeUndefined();
  });

  it("gives the variants that are not the rule's", () => {
    expect(variantsOf(tuning)).toEqual({ "matmul 1x2x3 nn": "register" });
  });

  it("holds the last measurement of each problem", () => {
    const again = measuredOf(first.key, "tiled", { tiled: { milliseconds: [1] }, register: { milliseconds: [2] } });
    const renewed = withMeasured(tuning, again);
    expect(renewed.problems).toEqual([second, again]);
    expect(variantsOf(renewed)).toEqual({});
    expect(tuning.problems).toHaveLength(2);
  });

  it("has a name that tells keys apart", async () => {
    const name = await tuningName(key);
    expect(name).toMatch(/^[0-9a-f]{16}$/);
    expect(await tuningName({ ...key })).toBe(name);
    expect(await tuningName({ ...key, kernels: "abd" })).not.toBe(name);
  });

  it("is keyed by the device and the kernels", async () => {
    const device = new CpuDevice();
    const { kernels, ...rest } = await tuningKey(device);
    expect(rest).toEqual({ adapter: "CPU reference", vendor: "", driver: "", implementation: "", toggles: [] });
    expect(kernels).toMatch(/^[0-9a-f]{64}$/);
  });
});
