import { InputError } from "../../src/errors.js";
import { valueAxis, wholeAxis } from "./axes.js";
import { escapeHtml } from "../escape.js";
import type { ChartLibraries } from "./libraries.js";

const LEGEND_LINE = 20;
/** Pixels that a character of the legend takes, at most. */
const CHARACTER = 7;
/** So long may a line of the legend be above a chart, in widths of the letter m: what is longer is cut. */
const LEGEND_EMS = 22;
/** Room for a tick of seven characters beside the vertical axis, and for what the axis is. */
const LEFT = 84;
/** Between the left edge and what the vertical axis is. */
const EDGE = 8;
/** Room for half a tick of as many characters, below the right end. */
const RIGHT = 30;

/** Distinct to most eyes on light and on dark ground: a colour and a sign for each series. */
const colours = ["#3b82d6", "#e07b22", "#2f9e5b", "#d0527f", "#8f6fd8", "#a8892b", "#2aa5a8", "#c4513b", "#7f8a99"];
const symbols = ["circle", "square", "triangle", "diamond", "cross", "star", "wye"] as const;

/** Text and lines take the page's scheme; the ground comes along where the picture may stand on any. */
const ofItsOwn =
  "svg{--ink:#1f2328;--ground:#fff;background:var(--ground);color:var(--ink)}" +
  "@media (prefers-color-scheme:dark){svg{--ink:#d8dee6;--ground:#14181d}}";

export interface ChartPoint {
  readonly x: number;
  /** NaN leaves a gap in the line. */
  readonly y: number;
  /** Ends of the spread, where there is one. */
  readonly low?: number;
  readonly high?: number;
}

/** One line of a chart. */
export interface Series {
  readonly name: string;
  readonly points: readonly ChartPoint[];
}

export interface LineChart {
  readonly series: readonly Series[];
  /** What is on the horizontal axis, with its unit. */
  readonly x: string;
  /** What is on the vertical axis, with its unit. */
  readonly y: string;
  /** The vertical axis begins at zero. */
  readonly fromZero?: boolean;
  /** The places of the horizontal axis count rounds, and may stand beside them. */
  readonly rounds?: boolean;
  /** Over the chart, where the picture stands alone. */
  readonly title?: string;
  /** Pixels; the legend beside the chart adds to the width, the one above it to the height. */
  readonly width: number;
  readonly height: number;
  /** `beside`: in a picture that stands alone, with a ground of its own. `above`: in a page, on that page's ground. */
  readonly legend: "beside" | "above";
  /** What the picture shows, for those who do not see it. */
  readonly label?: string;
}

/** A chart of lines with points, and the spread of each to either side, as SVG. */
export function drawLines({ Plot, parseHTML }: ChartLibraries, chart: LineChart): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const { series, title, legend, label } = chart;
  const beside = legend === "beside";
  const legendWidth = 40 + CHARACTER * Math.max(...series.map(({ name }) => name.length));
  const legendHeight = LEGEND_LINE * series.length;
  const points = series.flatMap((one) => one.points);
  const svg = Plot.plot({
    document: document as never,
    width: chart.width + (beside ? legendWidth : 0),
    height: beside ? Math.max(chart.height, 100 + legendHeight) : chart.height + legendHeight,
    marginRight: beside ? Math.max(legendWidth, RIGHT) : RIGHT,
    marginLeft: LEFT,
    marginBottom: 52,
    marginTop: beside ? 48 : 16 + legendHeight,
    style: beside
      ? { background: "var(--ground)", color: "var(--ink)", fontSize: "13px" }
      : { background: "none", color: "currentColor", fontSize: "13px" },
    x: {
      ...wholeAxis(
        points.map(({ x }) => x),
        beside ? 8 : 5,
        chart.rounds,
      ),
      label: chart.x,
      labelOffset: 42,
      tickFormat: ",d",
      labelAnchor: "center",
      labelArrow: "none",
    },
    y: {
      ...valueAxis(points, beside ? 8 : 5),
      label: chart.y,
      grid: true,
      nice: true,
      zero: chart.fromZero ?? false,
      labelOffset: LEFT - EDGE,
      labelAnchor: "center",
      labelArrow: "none",
    },
    marks: [
      ...series.flatMap((one, index) => seriesMarks(Plot, one, index, series.length, beside)),
      ...(title === undefined
        ? []
        : [
            Plot.text([title], {
              frameAnchor: "top-left",
              dy: -36,
              dx: 10 - LEFT,
              textAnchor: "start",
              fontWeight: "bold",
              fontSize: 15,
              lineWidth: 60,
              fill: "currentColor",
            }),
          ]),
    ],
  });
  if (svg.tagName.toLowerCase() !== "svg") throw new InputError("the chart is no SVG; install @observablehq/plot 0.6");
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  svg.setAttribute("role", "img");
  // The document leaves `&` and `<` in attributes as they are, which a file of SVG may not have.
  if (label !== undefined) svg.setAttribute("aria-label", escapeHtml(label));
  if (beside) {
    const rules = document.createElementNS("http://www.w3.org/2000/svg", "style");
    rules.textContent = ofItsOwn;
    svg.prepend(rules as never);
  }
  return `${svg.toString()}\n`;
}

/** A series, and its line of the legend. */
function seriesMarks(
  Plot: ChartLibraries["Plot"],
  { name, points }: Series,
  index: number,
  count: number,
  beside: boolean,
) {
  const colour = colours[index % colours.length];
  const symbol = symbols[index % symbols.length];
  const spread = points.filter(({ low, high }) => low !== undefined && high !== undefined);
  const corner = beside
    ? ({ frameAnchor: "top-right", dy: 8 + LEGEND_LINE * index } as const)
    : ({ frameAnchor: "top-left", dy: LEGEND_LINE * (index - count) } as const);
  const dx = beside ? 18 : 4;
  return [
    Plot.areaY(spread, { x: "x", y1: "low", y2: "high", fill: colour, fillOpacity: 0.1 }),
    // A band needs two points; the ends of the spread are marked at each.
    Plot.ruleX(spread, { x: "x", y1: "low", y2: "high", stroke: colour, strokeWidth: 1.5, strokeOpacity: 0.6 }),
    Plot.lineY(points, { x: "x", y: "y", stroke: colour, strokeWidth: 2, ariaDescription: escapeHtml(name) }),
    Plot.dot(points, { x: "x", y: "y", fill: colour, symbol, r: 4 }),
    Plot.dot([0], { ...corner, dx, fill: colour, symbol, r: 4 }),
    Plot.text([name], {
      ...corner,
      dx: dx + 12,
      textAnchor: "start",
      lineAnchor: "middle",
      fill: "currentColor",
      ...(beside ? {} : { lineWidth: LEGEND_EMS, textOverflow: "ellipsis" as const, title: [name] }),
    }),
  ];
}
