import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cases, units, type Unit } from "../../bench/cases/index.js";
import { formatNumber, formatReport, formatRows, formatShare, LINE_WIDTH, wrap } from "../../bench/format.js";
import { report, row } from "./fixtures.js";

it("shows three digits or more, and thousands as k", () => {
  const numbers = [0.01234, 0.9996, 4.5678, 99.96, 789.4, 2617.3, 9999.4, 9999.6, 11_840, 99_949, 99_951, 123_456];
  expect(numbers.map(formatNumber)).toEqual([
    ...["0.0123", "1.00", "4.57", "100", "789", "2617", "9999", "10.0k", "11.8k", "99.9k", "100k", "123k"],
  ]);
});

it("keeps numbers of every size short and near to what they are", () => {
  const sizes = fc.double({ min: 1e-3, max: 1e8, noNaN: true });
  fc.assert(
    fc.property(sizes, (value) => {
      const text = formatNumber(value);
      const shown = text.endsWith("k") ? 1000 * Number(text.slice(0, -1)) : Number(text);
      expect(text.length).toBeLessThanOrEqual(7);
      expect(Math.abs(shown / value - 1)).toBeLessThan(0.00501);
    }),
  );
});

it("shows shares in percent", () => {
  expect([0.004, 0.0949, 0.095, 0.4339, 1.02].map(formatShare)).toEqual(["0.4%", "9%", "10%", "43%", "102%"]);
});

describe("the table", () => {
  it("shows for each row time, rate, range, unit, what that is in the ceiling's unit, share and profile", () => {
    const rows = [
      row(),
      row({
        name: "lenet5 training, batch 64",
        profile: "fast",
        unit: "images/s",
        ...{ rate: 4999, lowest: 4298, highest: 5192, milliseconds: 12.8, work: 14.52, share: 0.2086 },
      }),
      row({
        name: "lowest 10,000 of 2,000,000",
        unit: "M scores/s",
        bound: "copy",
        ...{ rate: 43, lowest: 30.4, highest: 58.4, milliseconds: 46.6, work: 0.172, share: 0.0169 },
      }),
    ];
    expect(formatReport(report(rows))).toMatchInlineSnapshot(`
      "activemixup benchmark, quick, profile safe, 2026-11-24 06:01 UTC
      adapter: llvmpipe (software)
      driver: llvmpipe: Mesa 25.0.7
      Dawn (webgpu 0.6.2); Node v20.20.2; Linux 6.1 x64; 2 × AMD EPYC
      toggles: vulkan_enable_f16_on_nvidia -timestamp_quantization
      variants: by rule
      ceilings: multiply-add 69.6 GFLOP/s (2 passes, 65.4–69.6), copy 10.2 GB/s (2 passes, 8.03–10.2)

      row                           ms  median      range        unit       that is  share  profile
      matmul 512³                 8.86    30.3  26.7–35.3     GFLOP/s                  43%     safe
      lenet5 training, batch 64   12.8    4999  4298–5192    images/s  14.5 GFLOP/s    21%     fast
      lowest 10,000 of 2,000,000  46.6    43.0  30.4–58.4  M scores/s    0.172 GB/s     2%     safe

      range: slowest to quickest sample; share: of the ceiling that bounds the row; docs/benchmarks.md explains the rows"
    `);
  });

  it("fits a terminal with the longest name, unit and numbers", () => {
    const longest = (texts: readonly string[]) => texts.reduce((a, b) => (b.length > a.length ? b : a));
    const wide = row({
      name: longest(cases.map(({ name }) => name)),
      unit: longest(Object.keys(units)) as Unit,
      ...{ rate: 99_949, lowest: 99_949, highest: 99_949, milliseconds: 0.01234, work: 0.01234, share: 1.02 },
    });
    for (const line of formatRows([wide]).split("\n")) expect(line.length).toBeLessThanOrEqual(LINE_WIDTH);
  });
});

it("breaks long lines at spaces and loses nothing", () => {
  const line = fc.array(fc.stringMatching(/^[a-z_]{1,40}$/), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(line, (words) => {
      const lines = wrap(words.join(" ")).split("\n");
      for (const each of lines) expect(each.length).toBeLessThanOrEqual(LINE_WIDTH);
      expect(lines.map((each) => each.trim()).join(" ")).toBe(words.join(" "));
    }),
  );
});
