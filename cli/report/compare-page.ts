import type { ChartLibraries } from "../charts/libraries.js";
import { rowSeries } from "../experiment/chart.js";
import type { Spread } from "../experiment/curve.js";
import { formatSpread } from "../experiment/markdown.js";
import { latestOf, type Measure } from "../experiment/row-result.js";
import { drawFigure } from "./charts.js";
import type { PooledRun, RunComparison, RunGroup } from "./compare.js";
import { formatCount, formatTime, percent } from "./format.js";
import { html, htmlFacts, htmlTable, type Markup } from "./html.js";
import { optionFacts } from "./overview.js";
import { page } from "./page.js";

/** Runs side by side: a page. */
export function comparePage(libraries: ChartLibraries, comparison: RunComparison, written: Date): string {
  const { groups } = comparison;
  const runs = groups.flatMap(({ all }) => all);
  const open = runs.filter(({ summary }) => !summary.stopped).length;
  const title = `${runs.length} runs side by side`;
  const body = html`<header>
      <h1>${title}</h1>
      <p>
        ${groups.length === runs.length ? "No two differ in their seed alone." : "Runs that differ in their seed alone are pooled: mean ± sample standard deviation over seeds."}${open > 0 ? ` ${open} of the runs ${open === 1 ? "is" : "are"} not finished: means leave out such runs, and are of what they reached so far where no other is there.` : ""}
      </p>
    </header>
    <main>
      <section id="results">
        <h2>What they came to</h2>
        ${resultTable(groups)}
      </section>
      <section id="course">
        <h2>By queries</h2>
        ${charts(libraries, groups)}${pointTable(groups)}
      </section>
      <section id="options">
        <h2>In what they differ</h2>
        ${differences(comparison)}
      </section>
      <section id="runs">
        <h2>Each run</h2>
        ${htmlTable("Of each run what it came to, and its folder.", runHead, groups.flatMap(runRows))}
      </section>
    </main> `;
  return page(title, body, written);
}

function resultTable(groups: readonly RunGroup[]): Markup {
  const has = (measure: Measure) => groups.some((group) => group[measure]);
  const head = [
    ...["runs", "seeds", "teacher", "answered"],
    ...(has("accuracy") ? ["accuracy"] : []),
    ...(has("agreement") ? ["agreement"] : []),
    ...(has("divergence") ? ["divergence, nats"] : []),
    "time of one",
  ];
  const rows = groups.map((group) => [
    group.name,
    seedsOf(group),
    percent(group.runs[0].teacherAccuracy),
    formatCount(group.queries?.mean),
    ...(has("accuracy") ? [formatSpread(group.accuracy)] : []),
    ...(has("agreement") ? [formatSpread(group.agreement)] : []),
    ...(has("divergence") ? [formatNats(group.divergence)] : []),
    group.seconds ? formatTime(group.seconds.mean) : "–",
  ]);
  return htmlTable(
    "Accuracy and agreement on test images, or on held-out images where there was no test. Teacher: its accuracy.",
    head,
    rows,
  );
}

/** How many runs the means are of, how many are not finished, and how many repeat another's seed. */
function seedsOf({ counted, all }: RunGroup): string {
  const left = all.filter((run) => !counted.includes(run));
  const isFinished = counted[0].summary.stopped !== undefined;
  const unfinished = isFinished ? left.filter(({ summary }) => !summary.stopped).length : 0;
  const repeated = left.length - unfinished;
  return [
    String(counted.length),
    ...(isFinished ? [] : ["not finished"]),
    ...(unfinished > 0 ? [`${unfinished} not finished`] : []),
    ...(repeated > 0 ? [`${repeated} of a seed again`] : []),
  ].join(", ");
}

function formatNats(spread: Spread | undefined): string {
  if (!spread) return "–";
  return spread.mean.toFixed(3) + (spread.sd === undefined ? "" : ` ± ${spread.sd.toFixed(3)}`);
}

function charts(libraries: ChartLibraries, groups: readonly RunGroup[]): Markup {
  const figures = (["accuracy", "agreement"] as const).flatMap((measure) => {
    const series = groups.map((group) => rowSeries(group, measure));
    if (series.every(({ points }) => points.length === 0)) return [];
    const chart = { series, x: "images answered by the teacher", y: `${measure}, %` };
    return [drawFigure(libraries, chart, `Mean ${measure}; bars: a standard deviation over seeds to either side.`)];
  });
  const series = groups.map(({ name, counted }) => ({ name, points: lossCurve(counted) }));
  if (series.every(({ points }) => points.length === 0)) return html`<p>No round is finished yet.</p> `;
  const chart = { series, x: "images answered by the teacher", y: "cross-entropy, nats" };
  const loss = drawFigure(libraries, chart, "Mean training loss of each round's last pass.");
  return html`<div class="charts">${figures}${loss}</div> `;
}

function lossCurve(runs: readonly PooledRun[]) {
  const rounds = runs.flatMap(({ summary }) => latestOf(summary.rounds));
  const places = [...new Set(rounds.map(({ queries }) => queries))].sort((a, b) => a - b);
  return places.map((x) => {
    const own = rounds.filter(({ queries }) => queries === x).map(({ loss }) => loss);
    return { x, y: own.reduce((sum, loss) => sum + loss, 0) / own.length };
  });
}

function pointTable(groups: readonly RunGroup[]): Markup {
  const rows = groups.flatMap(({ name, curve }) =>
    curve.map(({ queries, accuracy, agreement }) => [
      name,
      formatCount(queries),
      formatSpread(accuracy),
      formatSpread(agreement),
      String(Math.max(accuracy?.count ?? 0, agreement?.count ?? 0)),
    ]),
  );
  const head = ["runs", "answered", "accuracy", "agreement", "seeds"];
  return html`<details>
    <summary>The numbers of these charts</summary>
    ${htmlTable("Means after the rounds that ended with so many answers.", head, rows)}
  </details> `;
}

function differences({ groups, differing }: RunComparison): Markup {
  const { config } = groups[0].all[0];
  const differ = new Set(["seed", "out", "ledger", ...differing.map(({ option }) => option)]);
  const common = optionFacts(config.options, differ);
  const table =
    differing.length === 0
      ? html`<p>In nothing but their seeds.</p> `
      : htmlTable(
          "Options that are not the same in all runs.",
          ["runs", ...differing.map(({ option }) => option)],
          groups.map(({ name }, index) => [name, ...differing.map(({ values }) => values[index])]),
        );
  return html`${table}
    <details>
      <summary>What all have in common</summary>
      ${htmlFacts(common)}
    </details> `;
}

const runHead = ["folder", "runs", "seed", "state", "answered", "failed or lost", "accuracy", "agreement", "time"];

function runRows({ name, all }: RunGroup): string[][] {
  return all.map(({ folder, summary, result }) => {
    const { seed, queries, accuracy, agreement, seconds } = result;
    const failed = summary.teachers.reduce((sum, account) => sum + account.failed + account.lost, 0);
    return [
      ...[folder, name, String(seed), summary.stopped ? "finished" : "not finished"],
      ...[formatCount(queries), formatCount(failed), percent(accuracy), percent(agreement), formatTime(seconds)],
    ];
  });
}
