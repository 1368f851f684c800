import { rate } from "./workloads.mjs";

/** Three digits, as many as such timings bear. */
export function formatRate(value) {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** Ours over theirs, in rates: above 1 we are faster. */
export function formatRatio(value) {
  return `${value >= 100 ? value.toFixed(0) : value.toPrecision(value >= 10 ? 3 : 2)}×`;
}

/** A rate with half its range, in percent of the median. */
export function formatMeasured(workload, { median, min, max }) {
  const spread = Math.round((50 * (rate(workload, min) - rate(workload, max))) / rate(workload, median));
  return `${formatRate(rate(workload, median))} ±${spread}%`;
}

/**
 * The table: two lines a workload, rates and, below the peers' ones, the ratio of ours over theirs.
 * @param {readonly object[]} workloads the rows
 * @param {readonly string[]} engines the columns, ours first
 * @param {ReadonlyMap<string, ReadonlyMap<string, object>>} results of each engine by workload: a timing, or `cannot`;
 * absent where the engine was not asked
 * @returns {string} with the reasons of what could not be measured below
 */
export function formatComparison(workloads, engines, results) {
  const reasons = [];
  const rows = [["workload", "unit", ...engines]];
  for (const workload of workloads) {
    const found = engines.map((engine) => results.get(engine)?.get(workload.name));
    const [ours] = found;
    const cells = found.map((result, column) => {
      if (!result) return "–";
      if (result.median !== undefined) return formatMeasured(workload, result);
      const reason = `${engines[column]} cannot: ${result.cannot}`;
      if (!reasons.includes(reason)) reasons.push(reason);
      return `[${reasons.indexOf(reason) + 1}]`;
    });
    rows.push([workload.name, workload.unit, ...cells]);
    const ratios = found.map((result, column) =>
      column > 0 && ours?.median && result?.median ? formatRatio(result.median / ours.median) : "",
    );
    if (ratios.some((ratio) => ratio !== "")) rows.push(["  ours over theirs", "", ...ratios]);
  }
  const notes = reasons.map((reason, index) => `[${index + 1}] ${reason}`);
  return [alignColumns(rows), ...(notes.length > 0 ? ["", ...notes] : [])].join("\n");
}

/** Columns as wide as their widest cell, the first two to the left, the others to the right. */
function alignColumns(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const align = (cell, column) => (column < 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]));
  return rows.map((row) => row.map(align).join("  ").trimEnd()).join("\n");
}
