import { formatTable } from "../cli/table.js";
import type { Ceiling, Ceilings } from "./ceilings/index.js";
import type { Report, Row, Setting } from "./report.js";
import { summarise, type Summary } from "./statistics.js";

/** Characters of a line in a terminal of ordinary width. */
export const LINE_WIDTH = 110;

/** Three digits or more, thousands as k: `0.0123`, `4.56`, `789`, `2617`, `11.8k`. */
export function formatNumber(value: number): string {
  if (value >= 99_950) return `${(value / 1000).toFixed(0)}k`;
  if (value >= 9999.5) return `${(value / 1000).toFixed(1)}k`;
  return value >= 99.95 ? value.toFixed(0) : value.toPrecision(3);
}

/** A share in percent: `0.4%`, `31%`. */
export function formatShare(share: number): string {
  return `${share < 0.095 ? (100 * share).toPrecision(1) : (100 * share).toFixed(0)}%`;
}

/** Lowest to highest: `8113–11.8k`. */
export function formatRange({ lowest, highest }: Pick<Summary, "lowest" | "highest">): string {
  return `${formatNumber(lowest)}–${formatNumber(highest)}`;
}

/** Where and with what it was measured. */
export function formatSetting(
  { date, profile, device, tuned, dawn, node, system, cpus }: Setting,
  what: string,
): string {
  return [
    `activemixup benchmark, ${what}, profile ${profile}, ${date.slice(0, 16).replace("T", " ")} UTC`,
    `adapter: ${device.adapter} (${device.software ? "software" : "hardware"})`,
    `driver: ${device.driver}`,
    `${dawn}; Node ${node}; ${system}; ${cpus}`,
    `toggles: ${device.toggles.join(" ") || "none"}`,
    `variants: ${tuned > 0 ? `as measured on this device for ${tuned === 1 ? "1 problem" : `${tuned} problems`}, else by rule` : "by rule"}`,
  ]
    .map(wrap)
    .join("\n");
}

/** Both ceilings with the range of their passes. */
export function formatCeilings(ceilings: Ceilings): string {
  const ceiling = (name: string, unit: string, { best, passes }: Ceiling) =>
    `${name} ${formatNumber(best)} ${unit} (${passes.length} passes, ${formatRange(summarise(passes))})`;
  const { copy, "multiply-add": multiplyAdd } = ceilings;
  return `ceilings: ${ceiling("multiply-add", "GFLOP/s", multiplyAdd)}, ${ceiling("copy", "GB/s", copy)}`;
}

/** The rows as a table. */
export function formatRows(rows: readonly Row[]): string {
  const cells = rows.map((row) => {
    const unit = row.bound === "copy" ? "GB/s" : "GFLOP/s";
    return [
      row.name,
      formatNumber(row.milliseconds),
      formatNumber(row.rate),
      formatRange(row),
      row.unit,
      row.unit === unit ? "" : `${formatNumber(row.work)} ${unit}`,
      formatShare(row.share),
      row.profile,
    ];
  });
  return formatTable([["row", "ms", "median", "range", "unit", "that is", "share", "profile"], ...cells]);
}

/** All of a report, for a terminal. */
export function formatReport(report: Report): string {
  return [
    `${formatSetting(report, report.suite)}\n${formatCeilings(report.ceilings)}`,
    formatRows(report.rows),
    "range: slowest to quickest sample; share: of the ceiling that bounds the row; docs/benchmarks.md explains the rows",
  ].join("\n\n");
}

/** Breaks a line at spaces where it is too long; what follows is indented. */
export function wrap(line: string): string {
  const lines = [""];
  for (const word of line.split(" ")) {
    const last = lines[lines.length - 1];
    if (last.trim() !== "" && last.length + 1 + word.length > LINE_WIDTH) lines.push(`  ${word}`);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines.join("\n");
}
