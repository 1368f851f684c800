import type { AnsweredQuery, Belief } from "../../src/activemixup/index.js";
import type { ChartLibraries } from "../charts/libraries.js";
import { drawLines, type ChartPoint, type LineChart, type Series } from "../charts/line-chart.js";
import { html, htmlFigure, type Markup } from "./html.js";
import { byRound, type RunRecord } from "./record.js";

/** Small, so that letters are not shrunk on a telephone: a page has several in a row where it is wide. */
const WIDTH = 400;
const HEIGHT = 280;

/** A chart of a page, with its caption. */
export function drawFigure(
  libraries: ChartLibraries,
  chart: Omit<LineChart, "width" | "height" | "legend" | "series"> & { readonly series: readonly Series[] },
  caption: string,
): Markup {
  const series = chart.series.filter(({ points }) => points.length > 0);
  const named = `${caption} ${series.map(({ name }) => name).join(", ")}.`;
  const svg = drawLines(libraries, { label: named, ...chart, series, width: WIDTH, height: HEIGHT, legend: "above" });
  return htmlFigure(svg, caption);
}

/** The charts of a run: what it reached, its loss, and what the student said of what it chose. */
export function runCharts(libraries: ChartLibraries, record: RunRecord): Markup {
  const figures = [reached, divergence, loss, confidence, agreementOnChosen]
    .map((make) => make(record))
    .filter(({ chart }) => chart.series.some(({ points }) => points.length > 0))
    .map(({ chart, caption }) => drawFigure(libraries, chart, caption));
  return html`<div class="charts">${figures}</div> `;
}

interface Described {
  readonly chart: Parameters<typeof drawFigure>[1];
  readonly caption: string;
}

const QUERIES = "images answered by the teacher";

function pointsOf<T>(of: readonly T[], point: (one: T) => ChartPoint | undefined): ChartPoint[] {
  return of.flatMap((one) => point(one) ?? []);
}

/** A share at a place, in percent, where there is one. */
function share(x: number, value: number | undefined): ChartPoint | undefined {
  return value === undefined ? undefined : { x, y: 100 * value };
}

function reached({ summary: { rounds } }: RunRecord): Described {
  const series = [
    {
      name: "accuracy on test images",
      points: pointsOf(rounds, ({ queries, test }) => share(queries, test?.accuracy)),
    },
    {
      name: "agreement on test images",
      points: pointsOf(rounds, ({ queries, test }) => share(queries, test?.agreement)),
    },
    {
      name: "agreement on held-out images",
      points: pointsOf(rounds, ({ queries: x, holdout }) => {
        if (!holdout) return undefined;
        const { value, low, high } = holdout.agreement;
        const ends = low === undefined || high === undefined ? {} : { low: 100 * low, high: 100 * high };
        return { x, y: 100 * value, ...ends };
      }),
    },
  ];
  const held = series[2].points.length > 0 ? " Bars: the interval that covers the truth in 95 of 100 samples." : "";
  return {
    chart: { series, x: QUERIES, y: "share of images, %" },
    caption: `What the student reached after each round.${held}`,
  };
}

function divergence({ summary: { rounds } }: RunRecord): Described {
  const points = pointsOf(rounds, ({ queries: x, holdout }) => {
    if (!holdout) return undefined;
    const { value, low, high } = holdout.divergence;
    return { x, y: value, ...(low === undefined || high === undefined ? {} : { low, high }) };
  });
  return {
    chart: { series: [{ name: "divergence on held-out images", points }], x: QUERIES, y: "mean divergence, nats" },
    caption: "How far the student's probabilities are from the teacher's (Kullback-Leibler).",
  };
}

function loss({ summary: { rounds } }: RunRecord): Described {
  const points = rounds.map(({ queries: x, loss: y }) => ({ x, y }));
  const closing = rounds.some(({ pseudoLabels }) => pseudoLabels !== undefined)
    ? " The last point is of the closing round, whose pass is over pseudo-labels too."
    : "";
  return {
    chart: { series: [{ name: "training loss", points }], x: QUERIES, y: "cross-entropy, nats" },
    caption:
      "Mean loss of each round's last pass over all answers so far: soft labels keep it above 0, and answers about harder " +
      `images raise it.${closing}`,
  };
}

/** So that the two moments of a round do not hide one another. */
const APART = 0.06;
/** Ends of the spread that is shown. */
const [LOW, HIGH] = [0.1, 0.9];

function confidence({ answers }: RunRecord): Described {
  const rounds = byRound(answers);
  const at = (moment: (answer: AnsweredQuery) => Belief | undefined, aside: number) =>
    pointsOf([...rounds], ([round, own]) => {
      const values = own.flatMap((answer) => moment(answer)?.confidence ?? []).sort((a, b) => a - b);
      if (values.length === 0) return undefined;
      const part = (share: number) => 100 * values[Math.round(share * (values.length - 1))];
      return { x: round + aside, y: part(0.5), low: part(LOW), high: part(HIGH) };
    });
  const series = [
    { name: "before it was trained on them", points: at(({ before }) => before, -APART) },
    { name: "after", points: at(({ after }) => after, APART) },
  ];
  return {
    chart: { series, x: "round", y: "confidence of the student, %", rounds: true },
    caption: "How confident the student was in what it chose: the median, and from the 10th to the 90th percentile.",
  };
}

function agreementOnChosen({ summary: { rounds } }: RunRecord): Described {
  const series = [
    {
      name: "before it was trained on them",
      points: pointsOf(rounds, ({ round, chosen }) => share(round - APART, chosen?.before.agreement)),
    },
    { name: "after", points: pointsOf(rounds, ({ round, chosen }) => share(round + APART, chosen?.after.agreement)) },
  ];
  return {
    chart: { series, x: "round", y: "agreement with the teacher, %", rounds: true },
    caption: "On how many of the images that it chose the student gave the teacher's class.",
  };
}
