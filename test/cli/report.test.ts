import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AnsweredQuery } from "../../src/activemixup/index.js";
import type { Summary } from "../../cli/distill/summary.js";
import { loadCharts } from "../../cli/charts/libraries.js";
import { drawLines } from "../../cli/charts/line-chart.js";
import { findChromium } from "../../scripts/get-chromium.mjs";
import { temporaryFolder } from "../data/fixtures.js";
import { cli, writeDigits } from "./cli.js";
import { confusion, contactSheets, seriesOfCharts, wholeness } from "./look-at-page.mjs";

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder.root, ...names);
const teacher = at("teacher.safetensors");
/** A name that a page must show and not follow. */
const MIXED = `mixed <img src=x onerror="document.title='followed'"> & 'so on'`;
const NAMES = ["zero", "one", "two", "<script>document.title='followed'</script>", "four", "5", "6", "7", "8", "nine"];

const distill = (out: string, ...more: string[]) =>
  cli(
    "distill",
    ...["--images", `${folder.root}:train`, "--student", "lenet5-half", "--n", "40", "--budget", "90"],
    ...["--rounds", "2", "--steps", "5", "--batch", "8", "--device", "cpu", "--out", at(out)],
    ...(more.includes("--teacher") ? [] : ["--teacher", teacher]),
    ...more,
  );
const mixture = ["--candidates", "mixture", "--pool", "60", "--holdout", "0.25", "--test", `${folder.root}:test`];
const report = (run: string) => readFileSync(at(run, "report.html"), "utf8");

let browser: Browser;
/** One page for all tests. */
let page: Page;
let address = "";
/** What went wrong in it. */
const faults: string[] = [];

/** The runs that are looked at, and a page that compares some. */
async function makeRuns(): Promise<void> {
  writeDigits(folder.root, 80, 30);
  const { code, stderr } = await cli(
    "train",
    ...["--data", `${folder.root}:train`, "--model", "lenet5", "--epochs", "2", "--device", "cpu", "--out", teacher],
  );
  expect(code, stderr).toBe(0);
  writeFileSync(at("names.txt"), `${NAMES.join("\n")}\n`);
  const runs: [string, string[]][] = [
    [MIXED, [...mixture, "--labels", at("names.txt"), "--seed", "1"]],
    ["second", [...mixture, "--labels", at("names.txt"), "--seed", "2", "--no-report"]],
    ["random", ["--strategy", "random", "--test", `${folder.root}:test`]],
    ["bare", ["--holdout", "0", "--rounds", "1"]],
  ];
  for (const [out, more] of runs) {
    const { code, stderr } = await distill(out, "--quiet", ...more);
    expect([code, stderr]).toEqual([0, ""]);
  }
  const compared = await cli("report", at(MIXED), at("second"), at("random"), "--out", at("compared.html"), "--quiet");
  expect([compared.code, compared.stderr]).toEqual([0, ""]);
}

beforeAll(async () => {
  const launching = chromium.launch({
    executablePath: findChromium(),
    args: ["--no-sandbox"],
    ...{ handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false }, // they are for the command under test
  });
  [browser] = await Promise.all([launching, makeRuns()]);
  page = await browser.newPage();
  page.on("console", (message) => faults.push(message.text()));
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("request", (request) => {
    if (request.url() !== address && !request.url().startsWith("data:")) faults.push(`asked for ${request.url()}`);
  });
}, 120_000);

afterAll(async () => {
  await browser.close();
});

/** Opens a page from disk, and requires it to load without an error or another file. */
async function open(file: string): Promise<void> {
  faults.length = 0;
  address = pathToFileURL(at(file)).href;
  await page.goto(address);
  expect(faults).toEqual([]);
}

const pages = [join(MIXED, "report.html"), join("random", "report.html"), join("bare", "report.html"), "compared.html"];

it.each(pages)("the page %s is whole and fits 400 and 1400 pixels, light and dark", async (file) => {
  await open(file);
  const looks = [400, 1400].flatMap((width) => (["light", "dark"] as const).map((scheme) => ({ width, scheme })));
  for (const { width, scheme } of looks) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: scheme });
    const seen = await page.evaluate(wholeness);
    expect(seen).toMatchObject({
      width,
      out: [],
      cut: [],
      scripts: 0,
      broken: 0,
      withoutCaption: 0,
      withoutHead: 0,
      dark: scheme === "dark",
    });
    expect(seen.title).toMatch(/^(lenet5-half taught by teacher\.safetensors|3 runs side by side)$/);
    expect(seen.charts).toBeGreaterThanOrEqual(2);
    expect(faults).toEqual([]);
  }
});

it("a chart has room for a long number at its end", async () => {
  const points = [10_000, 50_000].map((x) => ({ x, y: 1 }));
  const chart = {
    series: [{ name: "a", points }],
    x: "images",
    y: "share",
    width: 352,
    height: 220,
    legend: "above" as const,
  };
  await page.setContent(`<figure class="chart">${drawLines(await loadCharts(), chart)}</figure>`);
  const last = await page.textContent("[aria-label='x-axis tick label'] text:last-child");
  expect([last, (await page.evaluate(wholeness)).cut]).toEqual(["50,000", []]);
});

it("a run's charts have its series, with a point a round", async () => {
  await open(join(MIXED, "report.html"));
  expect(await page.evaluate(seriesOfCharts)).toEqual({
    "share of images, %": {
      "accuracy on test images": 3,
      "agreement on test images": 3,
      "agreement on held-out images": 3,
    },
    "mean divergence, nats": { "divergence on held-out images": 3 },
    "cross-entropy, nats": { "training loss": 3 },
    "confidence of the student, %": { "before it was trained on them": 2, after: 2 },
    "agreement with the teacher, %": { "before it was trained on them": 2, after: 2 },
  });
});

it("its contact sheets have the images of each round with what was said of them, and its names are text", async () => {
  await open(join(MIXED, "report.html"));
  const rounds = await page.evaluate(contactSheets);
  expect(rounds).toMatchObject([
    { open: false, shown: 24, parents: 0, kinds: [] },
    { open: false, shown: 24 },
    { open: true, shown: 24 },
  ]);
  expect(rounds[1].summary).toBe(
    "Round 1: candidates that it chose, 24 of 25, evenly from the one it was least confident in to the most",
  );
  expect(rounds[2].parents).toBeGreaterThan(24);
  expect(rounds[2].rows).toEqual(Array(24).fill(3)); // teacher, before, after
  expect([...rounds[1].kinds, ...rounds[2].kinds]).toEqual(
    expect.arrayContaining(["blend of warped", "cutmix", "warped"]),
  );
  expect(await page.title()).toBe("lenet5-half taught by teacher.safetensors");
  const text = await page.textContent("body");
  expect(text).toContain(MIXED);
  expect(text).toContain(NAMES[3]);
});

it("its cards say how each was made, and what the student said before and after, the least confident first", async () => {
  await open(join(MIXED, "report.html"));
  const [, , { cards }] = await page.evaluate(contactSheets);
  const { chosen } = JSON.parse(readFileSync(at(MIXED, "config.json"), "utf8")) as { chosen: number[] };
  const lines = readFileSync(at(MIXED, "queries.jsonl"), "utf8").trim().split("\n");
  const answers = lines.map((line) => JSON.parse(line) as AnsweredQuery).filter(({ round }) => round === 2);
  const told = answers
    .sort((a, b) => a.before!.confidence - b.before!.confidence)
    .map(({ kind, first, second, lambda, before, after }) => {
      const [one, other] = [first, second].map((real) => chosen[real]);
      const made = `${kind === "mix" ? "blend" : "cutmix"} of images ${one} and ${other}`;
      const parts = `${kind === "mix" ? "blend of warped" : "cutmix"} ${lambda.toFixed(2)} ×+ ${(1 - lambda).toFixed(2)} ×`;
      const says = [before!, after!].map(({ label, confidence }) => `${NAMES[label]} ${Math.round(100 * confidence)}%`);
      return [...(kind === "warp" ? [`image ${one}, warped`, "warped"] : [made, parts]), ...says];
    });
  const seen = cards.map(([alt, made, , before, after]) => [
    ...[alt.replace(/, as the teacher saw it$/, ""), made],
    ...[before, after].map((said) => said.replace(/ [✓✗]$/, "")),
  ]);
  expect(seen).toEqual(told.filter((one) => seen.some((other) => one.join() === other.join())));
  expect(seen).toHaveLength(24);
});

it("its confusion counts the held-out images, and it shows those apart most", async () => {
  await open(join(MIXED, "report.html"));
  const summary = JSON.parse(readFileSync(at(MIXED, "summary.json"), "utf8")) as Summary;
  const { cells, same, apart, heads } = await page.evaluate(confusion);
  expect({ cells, heads, apart }).toEqual({ cells: 10, heads: 10, apart: 10 });
  expect(same).toBe(Math.round(10 * summary.holdout!.agreement!.value));
});

it("pools runs that differ in their seed alone, and names the others by their options", async () => {
  const { stdout } = await cli(
    ...["report", at("random"), at(MIXED), at("second"), "--out", at("again.html"), "--quiet", "--json"],
  );
  const { groups, differing } = JSON.parse(stdout) as {
    groups: { name: string; accuracy: { mean: number; sd?: number }; runs: { seed: number; accuracy: number }[] }[];
    differing: string[];
  };
  expect(groups.map(({ runs }) => runs.map(({ seed }) => seed))).toEqual([[0], [1, 2]]);
  const [one, two] = groups[1].runs.map(({ accuracy }) => accuracy);
  expect(groups[1].accuracy.mean).toBeCloseTo((one + two) / 2, 12);
  expect(groups[1].accuracy.sd).toBeCloseTo(Math.abs(one - two) / Math.SQRT2, 12);
  expect(groups[0].accuracy).not.toHaveProperty("sd");
  expect(differing.sort()).toEqual(["candidates", "holdout", "labels", "pool", "strategy"]);
  expect(groups.map(({ name }) => name)).toEqual(["random", "confidence"]);
  await open("again.html");
  const series = await page.evaluate(seriesOfCharts);
  expect(Object.keys(series)).toEqual(["accuracy, %", "agreement, %", "cross-entropy, nats"]);
  for (const lines of Object.values(series)) expect(lines).toEqual({ random: 3, confidence: 3 });
});

/** A page without what differs from time to time. */
function untimed(page: string): string {
  return page.replaceAll(/<footer>.*<\/footer>/gs, "");
}

describe("activemixup report of one run", () => {
  it("makes the page that the run made", async () => {
    const before = report(MIXED);
    rmSync(at(MIXED, "report.html"));
    const { code, stdout } = await cli("report", at(MIXED), "--quiet");
    expect(code).toBe(0);
    expect(stdout).toContain(`the report is in ${at(MIXED, "report.html")}`);
    expect(untimed(report(MIXED))).toBe(untimed(before));
  });

  it("goes without pictures where the images are gone or others, and says why", async () => {
    const config = readFileSync(at("second", "config.json"), "utf8");
    writeFileSync(at("second", "config.json"), config.replaceAll(`${folder.root}:train`, at("nowhere")));
    const gone = await cli("report", at("second"), "--out", at("bald.html"));
    expect(gone.code).toBe(0);
    expect(gone.stderr).toMatch(/^.*second: the report has no pictures: .*nowhere.*\n$/);
    expect(readFileSync(at("bald.html"), "utf8")).not.toContain("<img");
    writeFileSync(at("second", "config.json"), config.replace(/"pixels": "\w/, '"pixels": "x'));
    const others = await cli("report", at("second"), "--out", at("bald.html"));
    expect(others.stderr).toContain("holds other images than when the run began");
    writeFileSync(at("second", "config.json"), config);
  });

  it.each<[string, () => string[]]>([
    ["no run's folder", () => [at("nowhere")]],
    ["no finished round", () => [at("unfinished")]],
    ["several runs without --out", () => [at("random"), at("bare")]],
    ["a damaged summary", () => [at("damaged")]],
    ["a run twice", () => [at("random"), at("random"), "--out", at("x.html")]],
    ["a folder for the page", () => [at("random"), "--out", folder.root]],
    ["a file of the run for the page", () => [at("random"), "--out", at("random", "config.json")]],
    ["a file of one of several", () => [at("bare"), at("random"), "--out", at("random", "student.safetensors")]],
  ])("%s: one line, exit code 2, nothing written", async (_, args) => {
    mkdirSync(at("unfinished"), { recursive: true });
    writeFileSync(at("unfinished", "config.json"), readFileSync(at("bare", "config.json")));
    mkdirSync(at("damaged"), { recursive: true });
    writeFileSync(at("damaged", "config.json"), readFileSync(at("bare", "config.json")));
    writeFileSync(
      at("damaged", "summary.json"),
      readFileSync(at("bare", "summary.json"), "utf8").replace('"loss"', '"los"'),
    );
    const { code, stdout, stderr } = await cli("report", ...args(), "--quiet");
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr.replaceAll(folder.root, "FOLDER")).toMatchSnapshot();
    expect(existsSync(at("x.html"))).toBe(false);
  });
});

it("a page of one's own may lie in the run's folder", async () => {
  for (const name of ["report.html", "own.html", "own.html"]) {
    expect((await cli("report", at("random"), "--out", at("random", name), "--quiet")).code).toBe(0);
  }
});

describe("a run's report", () => {
  it("says that the run is going, that it was stopped, and that it is finished", async () => {
    const running = distill("stopped", "--steps", "50", "--rounds", "4", "--quiet");
    while (!existsSync(at("stopped", "report.html"))) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(report("stopped")).toContain(">still going<");
    process.emit("SIGINT");
    expect((await running).code).toBe(130);
    expect(report("stopped")).toContain(">stopped early<");
    expect(report("stopped")).toContain(`activemixup distill --resume ${at("stopped")}`);

    // The command makes the same page of it, and of one that was killed says what it can know.
    const stopped = report("stopped");
    expect((await cli("report", at("stopped"), "--quiet")).code).toBe(0);
    expect(untimed(report("stopped"))).toBe(untimed(stopped));
    const summary = readFileSync(at("stopped", "summary.json"), "utf8");
    writeFileSync(at("stopped", "summary.json"), summary.replace('"interrupted": true', '"interrupted": false'));
    expect((await cli("report", at("stopped"), "--quiet")).code).toBe(0);
    expect(report("stopped")).toContain(">not finished<");

    // What keeps it from being written does not end the run.
    rmSync(at("stopped", "report.html"));
    mkdirSync(at("stopped", "report.html"));
    const { code, stderr } = await cli("distill", "--resume", at("stopped"), "--device", "cpu");
    expect(code).toBe(0);
    expect(stderr).toMatch(/^warning: report\.html is not written, and the run goes on without: .* cannot be written/m);
    rmSync(at("stopped", "report.html"), { recursive: true });
    expect((await cli("report", at("stopped"), "--quiet")).code).toBe(0);
    expect(report("stopped")).toContain(">finished<");
    expect(report("stopped").match(/<details class="round"/g)).toHaveLength(5);
  });

  it("says what error ended the run", async () => {
    const lines = [
      "export const classes = 10;",
      "export const manner = { attempts: 1 };",
      "let asked = 0;",
      "export function query({ count }) {",
      "  if ((asked += count) > 50) throw new Error('out of <i>order</i>');",
      "  return Array.from({ length: count }, () => Array(10).fill(0.1));",
      "}",
    ];
    writeFileSync(at("failing.mjs"), lines.join("\n"));
    const { code } = await distill("failed", "--teacher", `module:${at("failing.mjs")}`, "--quiet", "--reserve", "30");
    expect(code).not.toBe(0);
    expect(report("failed")).toContain(">ended by an error<");
    expect(report("failed")).toContain("out of &lt;i&gt;order&lt;/i&gt;");
  });

  it("is not written with --no-report", () => {
    expect(existsSync(at("second", "summary.json"))).toBe(true);
    expect(existsSync(at("second", "report.html"))).toBe(false);
  });
});
