import { describe, expect, it } from "vitest";
import { valueAxis, wholeAxis } from "../../cli/charts/axes.js";
import { loadCharts } from "../../cli/charts/libraries.js";
import { drawLines } from "../../cli/charts/line-chart.js";
import { compareRuns } from "../../cli/report/compare.js";
import { comparePage } from "../../cli/report/compare-page.js";
import { confusionPart } from "../../cli/report/confusion.js";
import { contactSheets } from "../../cli/report/contact-sheet.js";
import { differencesPart } from "../../cli/report/differences.js";
import { costPart, statePart, tiles } from "../../cli/report/overview.js";
import type { ToldRun } from "../../cli/report/read.js";
import { countRounds, type RunRecord } from "../../cli/report/record.js";
import { roundsTable } from "../../cli/report/rounds.js";
import { escapeHtml } from "../../cli/escape.js";
import { html, htmlTable } from "../../cli/report/html.js";
import { evenly, pictureOf } from "../../cli/report/pictures.js";
import { decodePng } from "../../src/data/png.node.js";

describe("HTML", () => {
  it("escapes all that is put into it, and markup no further time", () => {
    const inner = html`<b title="${`"'`}">${"<i> & co"}</b>`;
    expect(html`<p>${inner}${3}${undefined}${["<", inner]}</p>`.text).toBe(
      `<p><b title="&quot;&#39;">&lt;i&gt; &amp; co</b>3&lt;<b title="&quot;&#39;">&lt;i&gt; &amp; co</b></p>`,
    );
  });

  it("shows control characters, which HTML has not, as such", () => {
    expect(escapeHtml("a\u0000b\u001bc\nd\te")).toBe("a\ufffdb\ufffdc\nd\te");
  });

  it("has tables whose first column heads the rows", () => {
    const text = htmlTable("what", ["a", "b"], [["1", "2"]]).text.replaceAll(/>\s+</g, "><");
    expect(text).toContain(`<thead><tr><th scope="col">a</th><th scope="col">b</th></tr></thead>`);
    expect(text).toContain(`<tr><th scope="row">1</th><td>2</td></tr>`);
    expect(htmlTable("what", ["a"], [["x".repeat(29)]]).text).toContain(`class="long"`);
  });
});

describe("pictures", () => {
  const decode = (source: string) => decodePng(Uint8Array.from(Buffer.from(source.split(",")[1], "base64")), "picture");

  it("are PNG files of the image's own pixels where it is small", () => {
    const pixels = Uint8Array.from({ length: 3 * 2 * 4 }, (_, index) => 10 * index);
    const picture = pictureOf({ channels: 3, height: 2, width: 4 }, pixels, 4);
    expect(picture).toMatchObject({ width: 4, height: 2 });
    expect(picture.source).toMatch(/^data:image\/png;base64,/);
    expect(decode(picture.source)).toEqual({ channels: 3, height: 2, width: 4, pixels });
  });

  it("are shrunk where it is large, each pixel the mean of a square, smaller at the edges", () => {
    const pixels = Uint8Array.of(0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140);
    const picture = pictureOf({ channels: 1, height: 3, width: 5 }, pixels, 3);
    expect(picture).toMatchObject({ width: 3, height: 2 });
    expect([...decode(picture.source).pixels]).toEqual([30, 50, 65, 105, 125, 140]);
  });

  it("are chosen evenly, the first and the last among them", () => {
    expect(evenly(3, 5)).toEqual([0, 1, 2]);
    expect(evenly(101, 5)).toEqual([0, 25, 50, 75, 100]);
    expect(evenly(10, 1)).toEqual([0]);
    expect(new Set(evenly(25, 24)).size).toBe(24);
  });
});

describe("axes", () => {
  const places = (low: number, high: number, most = 5) => wholeAxis([high, low], most);

  it("have whole numbers at even distances, no more than have room", () => {
    expect(places(120, 200)).toEqual({ type: "linear", ticks: [120, 140, 160, 180, 200] });
    expect(places(118, 120).ticks).toEqual([118, 119, 120]);
    expect(places(60, 60).ticks).toEqual([60]);
  });

  it("are logarithmic where numbers are far apart, with ticks that keep apart", () => {
    expect(places(1000, 8000).type).toBe("linear");
    expect(places(2000, 48_000)).toEqual({ type: "log", ticks: [2000, 5000, 10_000, 20_000] });
    expect(places(1000, 20_000).ticks).toEqual([1000, 2000, 5000, 10_000, 20_000]);
    expect(places(500, 80_000).ticks).toEqual([1000, 3000, 10_000, 30_000]);
    expect(places(100, 1_000_000).ticks).toEqual([100, 1000, 10_000, 100_000, 1_000_000]);
    expect(places(500, 80_000, 8).ticks).toEqual([500, 1000, 2000, 5000, 10_000, 20_000, 50_000]);
  });

  it("of rounds have room beside the first and the last, and not a tick for each of many", () => {
    expect(wholeAxis([0.94, 1.06], 5, true)).toEqual({ type: "linear", domain: [0.75, 1.25], ticks: [1] });
    expect(wholeAxis([0.94, 30.06], 5, true)).toMatchObject({ type: "linear", ticks: [10, 20, 30] });
  });

  it("of one value have one tick in few digits", () => {
    const { ticks, tickFormat } = valueAxis([{ x: 1, y: 2.301202, low: 2.301202, high: 2.301202 }], 5);
    expect(ticks).toEqual([2.301202]);
    expect([2.301202, 0, 100].map((value) => tickFormat!(value))).toEqual(["2.301", "0", "100"]);
    expect(valueAxis([{ x: 1, y: 2, low: 1, high: 2 }], 5)).toEqual({ ticks: 5 });
  });
});

it("names in charts are text, in elements and in attributes", async () => {
  const name = `<script>"a" & 'b'</script>`;
  const chart = { series: [{ name, points: [{ x: 1, y: 2 }] }], x: name, y: name, title: name, label: name };
  for (const legend of ["above", "beside"] as const) {
    const svg = drawLines(await loadCharts(), { ...chart, width: 400, height: 300, legend });
    expect(svg).not.toContain("<script");
    expect(svg).not.toMatch(/&(?!(amp|lt|gt|quot|#39);)/);
    expect(svg.match(/&lt;script&gt;/g)!.length).toBeGreaterThanOrEqual(6); // axes, title, legend, line, picture
  }
});

describe("runs side by side", () => {
  const told = (folder: string, seed: number, strategy: string, loss: number, stopped?: "plan"): ToldRun => {
    const test = { accuracy: loss / 10, agreement: loss / 10 };
    const rounds = [{ round: 0, queries: 10, steps: 1, loss, test }];
    const summary = { queries: 10, student: test, teacher: {}, teachers: [], seconds: {}, device: {}, rounds, stopped };
    const config = { options: { seed, strategy }, method: { seed, strategy, candidates: "mix" }, teachers: [] };
    return { folder, config, summary } as unknown as ToldRun;
  };
  const runs = [
    told("a", 1, "badge", 1, "plan"),
    told("b", 2, "badge", 9),
    told("c", 3, "badge", 3, "plan"),
    told("d", 1, "random", 5),
  ];

  it("have means of those that are finished, or of all where none is", () => {
    const { groups } = compareRuns(runs);
    expect(groups.map(({ name, accuracy }) => [name, accuracy?.mean, accuracy?.count])).toEqual([
      ["badge", 0.2, 2],
      ["random", 0.5, 1],
    ]);
    expect(groups[0].curve).toMatchObject([{ queries: 10, accuracy: { mean: 0.2, count: 2 } }]);
    expect(groups.map(({ all }) => all.map(({ folder }) => folder))).toEqual([["a", "b", "c"], ["d"]]);
  });

  it("count a seed once, however often it ran", async () => {
    const again = [
      told("a", 1, "badge", 1, "plan"),
      told("b", 2, "badge", 3, "plan"),
      told("c", 1, "badge", 1, "plan"),
    ];
    const [{ accuracy, counted, all }] = compareRuns(again).groups;
    expect(accuracy).toMatchObject({ mean: 0.2, count: 2 });
    expect(counted.map(({ folder }) => folder)).toEqual(["a", "b"]);
    expect(all.map(({ folder }) => folder)).toEqual(["a", "b", "c"]);
    const cell = async (runs: ToldRun[]) =>
      /<td>(\d[^<]*(?:finished|again)[^<]*)<\/td>/.exec(
        comparePage(await loadCharts(), compareRuns(runs), new Date(0)).replaceAll(/\s+/g, " "),
      )![1];
    expect(await cell(again)).toBe("2, 1 of a seed again");
    expect(await cell([...again, told("d", 4, "badge", 1)])).toBe("2, 1 not finished, 1 of a seed again");
    expect(await cell([told("a", 1, "badge", 1), told("b", 1, "badge", 1)])).toBe("1, not finished, 1 of a seed again");
  });

  it("are marked where they are not finished, and are told of each by itself", async () => {
    const page = comparePage(await loadCharts(), compareRuns(runs), new Date(0)).replaceAll(/\s+/g, " ");
    expect(page).toContain("2 of the runs are not finished");
    expect(page).toContain("<td>2, 1 not finished</td>");
    expect(page).toContain("<td>1, not finished</td>");
    expect(page.split("Each run")[1]).toMatch(
      />b<\/th><td>badge<\/td><td>2<\/td><td>not finished<\/td>.*?<td>90.00%<\/td>/,
    );
  });
});

it("a run that has a test set and no comparison does not say that nothing was tested", () => {
  const record = (options: object) =>
    ({ config: { heldOut: [], options, network: { classes: 2 } }, answers: [], summary: {} }) as unknown as RunRecord;
  for (const part of [confusionPart, differencesPart]) {
    expect(part(record({ test: "mnist:test" })).text).toContain("kept no comparison on its held-out or test images");
    expect(part(record({})).text).toContain("no image was held out or tested");
  }
});

describe("parts of a run's page", () => {
  const seconds = { prepare: 0, select: 1, query: 2, train: 3, evaluate: 4 };
  const round = (round: number, agreement: number) => ({
    ...{ round, asked: 5, queries: 6, steps: 7, loss: 0.5, skipped: 0, unanswered: 0, seconds },
    holdout: { agreement: { value: agreement, low: 0.1, high: 0.9 }, divergence: { value: 1 } },
    chosen: { before: { confidence: 0.25, agreement: 0 }, after: { confidence: 0.75, agreement: 1 } },
  });
  const account = { name: "t", spent: 8, budget: 9, answered: 6, failed: 1, lost: 2 };
  const summary = {
    ...{ student: {}, teacher: {}, holdout: { images: 10 }, teachers: [account], queries: 6, budget: 9, seconds },
    ...{ rounds: [round(0, 0.25), round(1, 0.75), round(2, 0.5)], keptRound: 1 },
  };
  const record = (more: object) =>
    ({
      ...{ folder: "runs/a b", answers: [], summary },
      config: { heldOut: [3], options: {}, network: { classes: 3, classNames: ["a", "b", "c"] }, method: {} },
      ...more,
    }) as unknown as RunRecord;
  const textOf = (markup: { readonly text: string }) =>
    markup.text
      .replaceAll(/<[^>]*>/g, " ")
      .replaceAll(/\s+/g, " ")
      .trim();

  it("the rounds have what they did under its name", () => {
    const [heads, ...rows] = [...roundsTable(record({}).summary).text.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row]) =>
      [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/g)].map(([, cell]) => cell),
    );
    const [, kept] = rows.map((row) => Object.fromEntries(row.map((cell, column) => [heads[column], cell])));
    expect(kept).toEqual({
      ...{ round: "1, kept", asked: "5", answered: "6", steps: "7", "loss, nats": "0.5000" },
      ...{ "held-out agreement": "75.00%", "confidence before": "25.00%", "confidence after": "75.00%" },
      ...{ choosing: "1.0 s", asking: "2.0 s", training: "3.0 s", measuring: "4.0 s", together: "10.0 s" },
    });
  });

  it("the round that asked nothing is told of", () => {
    const closing = { ...round(3, 0.5), asked: 0, pseudoLabels: 1234 };
    const told = { ...summary, rounds: [...summary.rounds, closing] };
    const { text } = roundsTable(record({ summary: told }).summary);
    expect(text).toContain("Round 3 asks about nothing: a committee of students labelled 1,234 candidates.");
    expect(roundsTable(record({}).summary).text).not.toContain("asks about nothing");
    const method = { strategy: "badge", rounds: 2 };
    const config = { ...record({}).config, method };
    expect(countRounds(record({ config, summary: told }))).toBe("2 of 2");
    // Where the budget ends the plan early, there were no more to come.
    const early = { ...config, method: { ...method, rounds: 5 } };
    expect(countRounds(record({ config: early, summary: { ...told, stopped: "plan" } }))).toBe("2 of 2");
    expect(countRounds(record({ config: early, summary: { ...told, stopped: "patience" } }))).toBe("2 of 5");
  });

  it("the run in a few numbers has the kept round's agreement, and all that may have been charged for", () => {
    expect(textOf(tiles(record({})))).toBe(
      "held-out agreement 75.00% 10.0 to 90.0 on 10 images images answered 6 8 of 9 queries spent " +
        "failed attempts 3 lost ones among them time 10.0 s all phases",
    );
  });

  it("what it cost has no answers known already where more came than the finished rounds used", () => {
    const cells = (queries: number) => {
      const now = { ...summary, queries, reserve: 0, strategy: "badge", device: {}, seed: 1, dataset: "d", skipped: 0 };
      const config = { chosen: [], heldOut: [], options: {}, method: { candidates: "mix", strategy: "badge" } };
      const { text } = costPart(record({ summary: now, config }));
      return textOf({ text: text.split("<tbody>")[1].split("</tbody>")[0] });
    };
    expect(cells(6)).toBe("t 8 9 6 0 1 2");
    expect(cells(10)).toBe("t 8 9 6 4 1 2");
    expect(cells(4)).toBe("t 8 9 6 0 1 2");
  });

  it("the confusion has the teacher's classes in rows and the student's in columns", () => {
    const confusion = [
      { expected: 0, student: 0, images: 4 },
      { expected: 0, student: 2, images: 1 },
      { expected: 1, student: 0, images: 3 },
    ];
    const comparison = { on: "holdout", against: "teacher", round: 1, images: 8, confusion, differing: [] };
    const { text } = confusionPart(record({ comparison }));
    expect(textOf({ text: text.split("<table>")[1].split("</table>")[0] })).toBe("a b c a 4 1 b 3 c");
    expect(text).toContain(`<td style="--share:0.200">1</td>`);
    expect(textOf({ text: text.split("<tbody>")[2].split("</tbody>")[0] })).toBe("b a 3 100.00% a c 1 20.00%");
  });

  it("a card has what was said before training before what was said after", () => {
    const answer = { round: 1, candidate: 0, first: 0, second: 1, lambda: 0.25, label: Float32Array.of(0, 0.9, 0.1) };
    const said = { before: { label: 0, confidence: 0.4 }, after: { label: 1, confidence: 0.8 } };
    const real = { count: 2, channels: 1, height: 1, width: 1, pixels: Uint8Array.of(0, 255) };
    const shown = record({ answers: [{ ...answer, ...said }], images: { real } });
    Object.assign(shown.config, { chosen: [7, 9] });
    expect(textOf(contactSheets(shown))).toMatch(/teacher b 90%, c 10% before a 40% ✗ after b 80% ✓$/);
  });

  it("the state says how to go on, by a command that a shell reads", () => {
    const state = (kind: string) => textOf(statePart(record({ state: { kind } }), new Date(0)));
    expect(state("unknown")).toMatch(
      /^not finished .* activemixup distill --resume &#39;runs\/a b&#39; goes on with it\.$/,
    );
    expect(state("interrupted")).toMatch(/^stopped early Stopped by hand; /);
    expect(state("going")).toMatch(/^still going As of 1970-01-01 00:00 UTC; /);
  });
});
