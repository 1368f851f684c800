import { describe, expect, it } from "vitest";
import { compareReports, formatComparison } from "../../bench/compare.js";
import { parseReport } from "../../bench/report.js";
import { InputError } from "../../src/errors.js";
import { report, row } from "./fixtures.js";

const before = report([
  row({ name: "a", rate: 10, lowest: 9, highest: 11 }),
  row({ name: "b", rate: 10, lowest: 9, highest: 11 }),
  row({ name: "c", rate: 10, lowest: 9, highest: 11 }),
  row({ name: "old", rate: 1 }),
]);
const after = report(
  [
    row({ name: "c", rate: 5, lowest: 4, highest: 8.9 }),
    row({ name: "new", rate: 1 }),
    row({ name: "b", rate: 12, lowest: 11, highest: 13 }),
    row({ name: "a", rate: 20, lowest: 11.1, highest: 21 }),
  ],
  { profile: "fast", dawn: "Dawn (webgpu 0.6.3)" },
);

describe("a comparison", () => {
  it("has the ratio new over old of each row that both have, and whether the ranges overlap", () => {
    const { rows, onlyOld, onlyNew } = compareReports(before, after);
    expect(
      rows.map(({ name, old, new: fresh, ratio, withinSpread }) => [name, old, fresh, ratio, withinSpread]),
    ).toEqual([
      ["c", 10, 5, 0.5, false],
      ["b", 10, 12, 1.2, true],
      ["a", 10, 20, 2, false],
    ]);
    expect([onlyOld, onlyNew]).toEqual([["old"], ["new"]]);
  });

  it("does not compare rows of one name that count different things", () => {
    const other = report([row({ unit: "GB/s" })]);
    expect(compareReports(report([row()]), other)).toMatchObject({
      rows: [],
      onlyOld: [row().name],
      onlyNew: [row().name],
    });
  });

  it("of a report with itself is 1 and within the spread", () => {
    const { rows, differences } = compareReports(before, before);
    expect(rows.every(({ ratio, withinSpread }) => ratio === 1 && withinSpread)).toBe(true);
    expect(differences).toEqual([]);
  });

  it("reads well", () => {
    expect(formatComparison(compareReports(before, after))).toMatchInlineSnapshot(`
      "differs: profile: safe → fast
      differs: Dawn: Dawn (webgpu 0.6.2) → Dawn (webgpu 0.6.3)

      row   old   new     unit  new/old
      c    10.0  5.00  GFLOP/s     0.50             slower
      b    10.0  12.0  GFLOP/s     1.20  within the spread
      a    10.0  20.0  GFLOP/s     2.00             faster

      1 faster, 1 slower, 1 within the spread (the ranges, slowest to quickest sample, overlap)

      only in the old report: old

      only in the new report: new"
    `);
    expect(formatComparison(compareReports(before, report([row({ name: "x" })])))).toContain(
      "no row is in both reports",
    );
  });
});

describe("a report read from a file", () => {
  it("is what --json printed, or an older one's rows", () => {
    expect(parseReport(JSON.stringify(before), "--compare x")).toEqual(before);
    const old = { rows: [{ name: "a", unit: "GB/s", rate: 2, lowest: 1, highest: 3 }] };
    expect(parseReport(JSON.stringify(old), "--compare x")).toEqual(old);
  });

  it.each([
    ["", "is not JSON (Unexpected end of JSON input)"],
    ["null", "holds no rows of this benchmark"],
    ['{"rows":3}', "holds no rows of this benchmark"],
    ['{"rows":[{"name":"a","unit":"GB/s","rate":1,"lowest":1}]}', "row 1 has no name, unit, rate, lowest and highest"],
    ['{"rows":[{"name":"a","unit":"GB/s","rate":0,"lowest":0,"highest":0}]}', "row 1 has no"],
  ])("is refused where it is %j", (text, reason) => {
    expect(() => parseReport(text, "--compare old.json")).toThrow(InputError);
    expect(() => parseReport(text, "--compare old.json")).toThrow(`--compare old.json: ${reason}`);
  });
});
