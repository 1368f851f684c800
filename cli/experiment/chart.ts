import { loadCharts } from "../charts/libraries.js";
import { drawLines, type Series } from "../charts/line-chart.js";
import type { Spread } from "./curve.js";
import { measures, type ExperimentResults, type Measure, type RowResult } from "./results.js";

const WIDTH = 760;
const HEIGHT = 440;

/** A chart of one measure. */
export interface Chart {
  readonly measure: Measure;
  readonly svg: string;
}

/**
 * A chart for each measure: what each row reaches against its queries, with a standard deviation over seeds to either
 * side.
 */
export async function drawCharts(results: ExperimentResults): Promise<Chart[]> {
  const libraries = await loadCharts();
  const { title, reduced, judge } = results;
  return measures.flatMap((measure) => {
    const series = results.rows.map((row) => rowSeries(row, measure));
    if (series.every(({ points }) => points.length === 0)) return [];
    const svg = drawLines(libraries, {
      series,
      x: "queries to the teacher",
      y: `${judge === "test" ? "test" : "held-out"} ${measure}, %`,
      title: `${title}${reduced ? ` (reduced: ${reduced})` : ""}`,
      width: WIDTH,
      height: HEIGHT,
      legend: "beside",
    });
    return [{ measure, svg }];
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
