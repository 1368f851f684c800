import { formatSeconds } from "../progress.js";
import { percent } from "../table.js";
import type { Share, Spread } from "./curve.js";
import { rowLabel, seedList } from "./labels.js";
import type { Comparison, ExperimentResults } from "./results.js";
import { measures, type Measure, type RowResult } from "./row-result.js";

const english = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** `24,000`. */
export function formatCount(count: number | undefined): string {
  return count === undefined ? "–" : english.format(count);
}

/** `98.99 ± 0.05%`: mean and sample standard deviation, which one value does not have. */
export function formatSpread(spread: Spread | undefined): string {
  if (spread?.sd === undefined) return percent(spread?.mean);
  return `${(100 * spread.mean).toFixed(2)} ± ${(100 * spread.sd).toFixed(2)}%`;
}

/** `0.0312 ± 0.0011`, in nats. */
function formatDivergence(spread: Spread | undefined): string {
  if (spread?.sd === undefined) return spread?.mean.toFixed(4) ?? "–";
  return `${spread.mean.toFixed(4)} ± ${spread.sd.toFixed(4)}`;
}

/** `52% (12,480)`: a share of the baseline's queries, and how many that are. */
export function formatShare({ reached }: Share): string {
  if (!reached) return "not reached";
  return `${reached.atMost ? "≤ " : ""}${(100 * reached.share).toFixed(0)}% (${formatCount(reached.queries)})`;
}

/** Head of {@link rowCells}. */
export const rowHead = ["row", "teacher", "queries", "accuracy", "agreement", "time", "seeds"];

/** A row in a line of a table: means ± standard deviations over seeds. */
export function rowCells({ name, runs, missing, queries, accuracy, agreement, seconds }: RowResult): string[] {
  return [
    name,
    percent(runs[0]?.teacherAccuracy),
    formatCount(queries?.mean),
    formatSpread(accuracy),
    formatSpread(agreement),
    seconds ? formatSeconds(seconds.mean) : "–",
    `${runs.length} of ${runs.length + missing.length}`,
  ];
}

/**
 * Results as a page of Markdown.
 * @param charts names of the files of charts, beside the page
 */
export function markdown(results: ExperimentResults, charts: readonly string[]): string {
  const { title, about, reduced, teacher, rows, judge } = results;
  const devices = [...new Set(rows.flatMap(({ runs }) => runs.map(({ device }) => device)))];
  const done = rows.filter(({ runs }) => runs.length > 0);
  const missing = rows.filter((row) => row.missing.length > 0);
  const parts = [
    `# ${title}`,
    about,
    ...(reduced ? [`**Reduced: ${reduced}**`] : []),
    ...(teacher ? [`The teacher, test accuracy **${percent(teacher.accuracy)}**:`, code([teacher.command])] : []),
    "Mean ± sample standard deviation over seeds; agreement with the teacher; time in minutes and seconds of one run." +
      (judge === "holdout"
        ? " Agreement and divergence are those on the images that each run holds out; no student was tested on test images."
        : ""),
    table([rowHead, ...rows.map(rowCells)]),
    ...(missing.length > 0
      ? [
          "Not run, or not finished: " +
            `${missing.map((row) => `${row.name} (${seedList(row.missing)})`).join("; ")}. These are in no figure.`,
        ]
      : []),
    ...charts.map((name) => `![${name}](${encodeURI(name)})`),
    ...(done.length > 0
      ? [
          "## By queries",
          table([
            ["row", "queries", judge === "holdout" ? "divergence, nats" : "accuracy", "agreement", "seeds"],
            ...done.flatMap(pointCells),
          ]),
          ...closingPart(done),
        ]
      : []),
    ...sharesPart(results),
    ...(done.length > 0 ? ["## Commands", ...done.flatMap(commandPart)] : []),
    ...(devices.length > 0 ? [`Device: ${devices.join("; ")}.`] : []),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** Rows that are not alike at their last point and before. */
function closingPart(rows: readonly RowResult[]): string[] {
  const closed = rows.filter(({ runs }) => runs.some(({ rounds }) => rounds.at(-1)?.pseudoLabels !== undefined));
  if (closed.length === 0) return [];
  return [`With pseudo-labels at their last point alone: ${closed.map(({ name }) => name).join(", ")}.`];
}

function pointCells({ name, curve }: RowResult): string[][] {
  return curve.map(({ queries, accuracy, agreement, divergence }) => [
    name,
    formatCount(queries),
    divergence ? formatDivergence(divergence) : formatSpread(accuracy),
    formatSpread(agreement),
    String(Math.max(accuracy?.count ?? 0, agreement?.count ?? 0)),
  ]);
}

/** For each row the share of its baseline's queries that it needs for what the baseline reaches. */
function sharesPart({ rows, shares, judge }: ExperimentResults): string[] {
  const tables = measures.flatMap((measure) =>
    (shares?.[measure] ?? []).flatMap((comparison) => comparisonPart(rows, comparison, measure)),
  );
  if (tables.length === 0) return [];
  return [
    "## Shares of another row's queries",
    "What share of the queries of another each row needs to reach the mean that the other has at each of its budgets, in " +
      "brackets the queries. Between rounds the mean curve is linear in the logarithm of the queries, and " +
      "where it crosses the value more than once, the first time counts; ≤: the row is above that in its first round. " +
      "Each row is held against the other over the seeds that both have finished." +
      (judge === "holdout" ? " Queries about held-out images are not counted here." : ""),
    ...tables,
  ];
}

/** Nothing where no row but the baseline is finished, or that is not. */
function comparisonPart(rows: readonly RowResult[], { baseline, shares }: Comparison, measure: Measure): string[] {
  const done = rows.filter(({ name, runs }) => Object.hasOwn(shares, name) && runs.length > 0);
  const ofBaseline = shares[baseline];
  if (ofBaseline.length === 0 || done.length < 2) return [];
  const head = ofBaseline.map(({ of, value }) => `${percent(value)} at ${formatCount(of)}`);
  const cells = (name: string) =>
    ofBaseline.map(({ of }) => {
      const share = shares[name].find((one) => one.of === of);
      return share ? formatShare(share) : "–";
    });
  return [
    `### Of ${baseline}, by ${measure}`,
    table([["row", ...head], ...done.map((row) => [rowLabel(row), ...cells(row.name)])]),
  ];
}

function commandPart({ name, runs }: RowResult): string[] {
  const others = runs.slice(1).map(({ seed }) => seed);
  const more = others.length > 0 ? `; likewise ${seedList(others)}` : "";
  return [`${name}, ${seedList([runs[0].seed])}${more}:`, code([runs[0].command])];
}

function code(lines: readonly string[]): string {
  return lines.map((line) => `    ${line}`).join("\n");
}

/** A table of Markdown: the first column to the left, the others to the right. */
function table([head, ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const rule = head.map((_, column) => (column === 0 ? "---" : "---:"));
  return [head, rule, ...rows].map(line).join("\n");
}
