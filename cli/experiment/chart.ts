import { InputError } from "../../src/errors.js";
import type { Progress } from "../progress.js";
import { measures, type ExperimentResults, type Measure, type RowResult } from "./results.js";

const WIDTH = 760;
const HEIGHT = 440;
const LEGEND_LINE = 20;
/** Pixels that a character of the legend takes, at most. */
const CHARACTER = 7;
/** Where the largest number of queries is so many times the smallest, their axis is logarithmic. */
const LOGARITHMIC = 8;

/** Distinct to most eyes on light and on dark ground: a colour and a sign for each row. */
const colours = ["#3b82d6", "#e07b22", "#2f9e5b", "#d0527f", "#8f6fd8", "#a8892b", "#2aa5a8", "#c4513b", "#7f8a99"];
const symbols = ["circle", "square", "triangle", "diamond", "cross", "star", "wye"] as const;

/** Text and lines take the page's scheme; the ground comes along, since the picture may stand on any. */
const style =
  "svg{--ink:#1f2328;--ground:#fff;background:var(--ground);color:var(--ink)}" +
  "@media (prefers-color-scheme:dark){svg{--ink:#d8dee6;--ground:#14181d}}";

/** A chart of one measure. */
export interface Chart {
  readonly measure: Measure;
  readonly svg: string;
}

/** A point of a row, in percent. */
interface Point {
  readonly name: string;
  readonly queries: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * A chart for each measure: what each row reaches against its queries, with a standard deviation over seeds to either
 * side. Says so, and gives none, where the libraries that draw are not installed.
 */
export async function drawCharts(results: ExperimentResults, progress: Progress): Promise<Chart[]> {
  const libraries = await loadLibraries().catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    progress.say("no charts: install what draws them by `npm install @observablehq/plot linkedom`");
  });
  if (!libraries) return [];
  return measures.flatMap((measure) => {
    const rows = results.rows.map((row) => pointsOf(row, measure));
    return rows.some((points) => points.length > 0)
      ? [{ measure, svg: drawChart(libraries, results, measure, rows) }]
      : [];
  });
}

type Libraries = Awaited<ReturnType<typeof loadLibraries>>;

async function loadLibraries() {
  const [Plot, { parseHTML }] = await Promise.all([import("@observablehq/plot"), import("linkedom")]);
  return { Plot, parseHTML };
}

function pointsOf({ name, curve }: RowResult, measure: Measure): Point[] {
  return curve.flatMap((point) => {
    const spread = point[measure];
    if (!spread) return [];
    const { mean, sd = 0 } = spread;
    return [{ name, queries: point.queries, value: 100 * mean, low: 100 * (mean - sd), high: 100 * (mean + sd) }];
  });
}

function drawChart(
  { Plot, parseHTML }: Libraries,
  { title, reduced, rows, judge }: ExperimentResults,
  measure: Measure,
  points: readonly (readonly Point[])[],
): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const queries = points.flat().map((point) => point.queries);
  const logarithmic = Math.max(...queries) > LOGARITHMIC * Math.min(...queries);
  const legendWidth = 40 + CHARACTER * Math.max(...rows.map(({ name }) => name.length));
  const marks = points.flatMap((ofRow, index) => {
    const colour = colours[index % colours.length];
    const symbol = symbols[index % symbols.length];
    const dy = 8 + LEGEND_LINE * index;
    const corner = { frameAnchor: "top-right", dy } as const;
    return [
      Plot.areaY(ofRow, { x: "queries", y1: "low", y2: "high", fill: colour, fillOpacity: 0.1 }),
      // A band needs two points; the ends of the spread are marked at each.
      Plot.ruleX(ofRow, { x: "queries", y1: "low", y2: "high", stroke: colour, strokeWidth: 1.5, strokeOpacity: 0.6 }),
      Plot.lineY(ofRow, {
        x: "queries",
        y: "value",
        stroke: colour,
        strokeWidth: 2,
        ariaDescription: rows[index].name,
      }),
      Plot.dot(ofRow, { x: "queries", y: "value", fill: colour, symbol, r: 4 }),
      Plot.dot([0], { ...corner, dx: 18, fill: colour, symbol, r: 4 }),
      Plot.text([rows[index].name], {
        ...corner,
        dx: 30,
        textAnchor: "start",
        lineAnchor: "middle",
        fill: "currentColor",
      }),
    ];
  });
  const chart = Plot.plot({
    document: document as never,
    width: WIDTH + legendWidth,
    height: Math.max(HEIGHT, 100 + LEGEND_LINE * rows.length),
    marginRight: legendWidth,
    marginLeft: 64,
    marginBottom: 48,
    marginTop: 48,
    style: { background: "var(--ground)", color: "var(--ink)", fontSize: "13px" },
    x: {
      label: "queries to the teacher",
      type: logarithmic ? "log" : "linear",
      ...(logarithmic ? { ticks: 6, tickFormat: ",.0f" } : { tickFormat: ",.0f" }),
      labelAnchor: "center",
      labelArrow: "none",
    },
    y: {
      label: `${judge === "test" ? "test" : "held-out"} ${measure}, %`,
      grid: true,
      nice: true,
      labelAnchor: "center",
      labelArrow: "none",
    },
    marks: [
      ...marks,
      Plot.text([`${title}${reduced ? ` (reduced: ${reduced})` : ""}`], {
        frameAnchor: "top-left",
        dy: -36,
        dx: -54,
        textAnchor: "start",
        fontWeight: "bold",
        fontSize: 15,
        lineWidth: 60,
        fill: "currentColor",
      }),
    ],
  });
  if (chart.tagName.toLowerCase() !== "svg")
    throw new InputError("the chart is no SVG; install @observablehq/plot 0.6");
  chart.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  chart.setAttribute("role", "img");
  const rules = document.createElementNS("http://www.w3.org/2000/svg", "style");
  rules.textContent = style;
  chart.prepend(rules as never);
  return `${chart.toString()}\n`;
}
