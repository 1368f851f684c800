import { loadCharts } from "../charts/libraries.js";
import { drawLines, type Series } from "../charts/line-chart.js";
import type { Spread } from "./curve.js";
import { rowLabel } from "./labels.js";
import { measures, type ExperimentResults, type Measure, type RowResult } from "./results.js";

const WIDTH = 760;
const HEIGHT = 440;

/** A chart of one measure. */
export interface Chart {
  /** Tells it from the experiment's others: the measure, behind the name of the rows that are drawn together. */
  readonly name: string;
  readonly svg: string;
}

/**
 * A chart for each measure: what each row that has finished runs reaches against its queries, with a standard deviation
 * over seeds to either side.
 * @param groups names of rows that are drawn together, by a name of their charts; all rows where absent
 */
export async function drawCharts(
  results: ExperimentResults,
  groups: Readonly<Record<string, readonly string[]>> = { "": results.rows.map(({ name }) => name) },
): Promise<Chart[]> {
  const libraries = await loadCharts();
  const { title, reduced, judge, rows } = results;
  const each = Object.entries(groups).flatMap(([group, names]) =>
    measures.map((measure) => ({ group, names, measure })),
  );
  return each.flatMap(({ group, names, measure }) => {
    const drawn = rows.filter(({ name }) => names.includes(name));
    const series = drawn
      .map((row) => rowSeries({ name: rowLabel(row), curve: row.curve }, measure))
      .filter(({ points }) => points.length > 0);
    if (series.length === 0) return [];
    const svg = drawLines(libraries, {
      series,
      x: "queries to the teacher",
      y: `${judge === "test" ? "test" : "held-out"} ${measure}, %`,
      title: `${title}${reduced ? ` (reduced: ${reduced})` : ""}`,
      width: WIDTH,
      height: HEIGHT,
      legend: "beside",
    });
    return [{ name: group === "" ? measure : `${group}-${measure}`, svg }];
  });
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
