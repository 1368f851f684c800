import { loadCharts } from "../charts/libraries.js";
import { drawLines, type LineChart, type Series } from "../charts/line-chart.js";
import type { Share, Spread } from "./curve.js";
import { rowLabel } from "./labels.js";
import type { ExperimentResults } from "./results.js";
import { measures, type Measure, type RowResult } from "./row-result.js";

const WIDTH = 760;
const HEIGHT = 440;
/** Beyond, a share would press those of interest together. */
const MOST_SHARE = 3;

/** A chart of one measure. */
export interface Chart {
  /** Tells it from the experiment's others: what is drawn, behind the name of the rows that are drawn together. */
  readonly name: string;
  readonly svg: string;
}

/** What is drawn of some rows. */
interface Drawing extends Pick<LineChart, "series" | "x" | "y" | "fromZero"> {
  readonly name: string;
}

/**
 * Two charts for each measure: what each row that has finished runs reaches against its queries, with a standard deviation
 * over seeds to either side; and what share each needs of the queries of the row that it is compared with.
 * @param groups names of rows that are drawn together, by a name of their charts; all rows where absent
 */
export async function drawCharts(
  results: ExperimentResults,
  groups: Readonly<Record<string, readonly string[]>> = { "": results.rows.map(({ name }) => name) },
): Promise<Chart[]> {
  const libraries = await loadCharts();
  const { title, reduced } = results;
  return Object.entries(groups).flatMap(([group, names]) => {
    const rows = results.rows.filter(({ name, curve }) => names.includes(name) && curve.length > 0);
    const drawings = [
      ...measures.map((measure) => drawCurves(results, rows, measure)),
      ...measures.map((measure) => drawShares(results, rows, measure)),
    ];
    return drawings.flatMap((drawing) => {
      if (!drawing) return [];
      const { name, ...chart } = drawing;
      const svg = drawLines(libraries, {
        ...chart,
        title: `${title}${reduced ? ` (reduced: ${reduced})` : ""}`,
        width: WIDTH,
        height: HEIGHT,
        legend: "beside",
      });
      return [{ name: group === "" ? name : `${group}-${name}`, svg }];
    });
  });
}

/** Nothing where no row was measured so. */
function drawCurves({ judge }: ExperimentResults, rows: readonly RowResult[], measure: Measure): Drawing | undefined {
  const series = rows
    .map((row) => rowSeries({ name: rowLabel(row), curve: row.curve }, measure))
    .filter(({ points }) => points.length > 0);
  if (series.length === 0) return undefined;
  return { name: measure, series, x: "queries to the teacher", y: `${judgedOn(judge)} ${measure}, %` };
}

/** Nothing where no row has a share of another's queries that can be drawn. */
function drawShares(
  { judge, baseline, shares }: ExperimentResults,
  rows: readonly RowResult[],
  measure: Measure,
): Drawing | undefined {
  const baselines = new Set(rows.map((row) => row.baseline));
  const compared = rows.flatMap((row) => {
    const comparison = shares?.[measure]?.find((one) => one.baseline === row.baseline);
    const named = baselines.size === 1 || row.baseline === baseline;
    const label = named ? rowLabel(row) : `${rowLabel(row)}, of ${row.baseline}`;
    const series = shareSeries(label, comparison?.shares[row.name] ?? []);
    return series.points.length > 0 ? [{ row, series }] : [];
  });
  const drawable = compared.some(
    ({ row, series }) => row.name !== row.baseline && series.points.some(({ y }) => !Number.isNaN(y)),
  );
  if (!drawable) return undefined;
  const [one] = baselines;
  const others = baseline === undefined ? "the row that is named" : `${baseline}, or of the row that is named`;
  return {
    name: `${measure}-share`,
    series: compared.map(({ series }) => series),
    x: `queries of ${baselines.size === 1 ? one : others}`,
    y: `queries for the same ${judgedOn(judge)} ${measure}, %`,
    fromZero: true,
  };
}

function judgedOn(judge: ExperimentResults["judge"]): string {
  return judge === "test" ? "test" : "held-out";
}

/** A row's means in percent, with a standard deviation to either side. */
export function rowSeries({ name, curve }: Pick<RowResult, "name" | "curve">, measure: Measure): Series {
  const points = curve.flatMap((point) => {
    const spread: Spread | undefined = point[measure];
    if (!spread) return [];
    const { mean, sd = 0 } = spread;
    return [{ x: point.queries, y: 100 * mean, low: 100 * (mean - sd), high: 100 * (mean + sd) }];
  });
  return { name, points };
}

/** Shares in percent, with a gap where the row never gets there, or needs more than {@link MOST_SHARE}. */
function shareSeries(name: string, shares: readonly Share[]): Series {
  const percent = ({ reached }: Share) => (reached && reached.share <= MOST_SHARE ? 100 * reached.share : NaN);
  return { name, points: shares.map((share) => ({ x: share.of, y: percent(share) })) };
}
