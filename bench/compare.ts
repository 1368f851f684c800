import { formatTable } from "../cli/table.js";
import { formatNumber, LINE_WIDTH, wrap } from "./format.js";
import type { ComparableReport, ComparableRow } from "./report.js";

/** One row of two reports. */
export interface ComparedRow {
  readonly name: string;
  readonly unit: string;
  /** Medians. */
  readonly old: number;
  readonly new: number;
  /** New over old: above 1 the new one is faster. */
  readonly ratio: number;
  /** The ranges of the two overlap: the difference may be chance. */
  readonly withinSpread: boolean;
}

export interface Comparison {
  readonly rows: readonly ComparedRow[];
  /** Names that only one of the two has, or has in another unit. */
  readonly onlyOld: readonly string[];
  readonly onlyNew: readonly string[];
  /** What else than the rows differs: device, driver, Dawn, profile, Node. */
  readonly differences: readonly string[];
}

/** Two reports row by row, in the order of the new one. */
export function compareReports(before: ComparableReport, after: ComparableReport): Comparison {
  const key = ({ name, unit }: ComparableRow) => `${name} ${unit}`;
  const old = new Map(before.rows.map((row) => [key(row), row]));
  const fresh = new Set(after.rows.map(key));
  return {
    rows: after.rows.flatMap((row) => {
      const other = old.get(key(row));
      return other ? [compareRows(other, row)] : [];
    }),
    onlyOld: before.rows.filter((row) => !fresh.has(key(row))).map(({ name }) => name),
    onlyNew: after.rows.filter((row) => !old.has(key(row))).map(({ name }) => name),
    differences: differencesOf(before, after),
  };
}

function compareRows(old: ComparableRow, fresh: ComparableRow): ComparedRow {
  return {
    name: fresh.name,
    unit: fresh.unit,
    old: old.rate,
    new: fresh.rate,
    ratio: fresh.rate / old.rate,
    withinSpread: old.lowest <= fresh.highest && fresh.lowest <= old.highest,
  };
}

/** Members of the setting that differ, where both reports tell. */
function differencesOf(before: ComparableReport, after: ComparableReport): string[] {
  const settings = [before, after].map((report) => ({
    adapter: report.device?.adapter,
    driver: report.device?.driver,
    profile: report.profile,
    "tuned problems": report.tuned,
    Dawn: report.dawn,
    Node: report.node,
    processors: report.cpus,
  }));
  return Object.entries(settings[0]).flatMap(([name, old]) => {
    const fresh = settings[1][name as keyof (typeof settings)[1]];
    return old === undefined || fresh === undefined || old === fresh ? [] : [`${name}: ${old} → ${fresh}`];
  });
}

/** The comparison as a table, with what it cannot compare below. */
export function formatComparison({ rows, onlyOld, onlyNew, differences }: Comparison): string {
  const verdict = ({ ratio, withinSpread }: ComparedRow) => {
    if (withinSpread) return "within the spread";
    return ratio > 1 ? "faster" : "slower";
  };
  const cells = rows.map((row) => [
    row.name,
    formatNumber(row.old),
    formatNumber(row.new),
    row.unit,
    row.ratio.toFixed(2),
    verdict(row),
  ]);
  const counts = ["faster", "slower", "within the spread"].map(
    (kind) => `${rows.filter((row) => verdict(row) === kind).length} ${kind}`,
  );
  const parts = [
    differences.map((difference) => wrap(`differs: ${difference}`)).join("\n"),
    rows.length > 0
      ? formatTable([["row", "old", "new", "unit", "new/old", ""], ...cells])
      : "no row is in both reports",
    `${counts.join(", ")} (the ranges, slowest to quickest sample, overlap)`,
    onlyOld.length > 0 ? list("only in the old report", onlyOld) : "",
    onlyNew.length > 0 ? list("only in the new report", onlyNew) : "",
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function list(title: string, names: readonly string[]): string {
  const line = `${title}: ${names.join("; ")}`;
  return line.length > LINE_WIDTH ? [`${title}:`, ...names.map((name) => `  ${name}`)].join("\n") : line;
}
