import { cpSync, existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { run } from "../../cli/run.js";
import type { ExperimentResults } from "../../cli/experiment/results.js";
import type { Summary } from "../../cli/distill/summary.js";
import { lockFile } from "../../src/activemixup/ledger/lock.node.js";
import { temporaryFolder } from "../data/fixtures.js";
import { captured, cli, writeDigits } from "./cli.js";

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder.root, ...names);

/** Two rows of two rounds and two seeds, as small as they may be. */
const small = {
  title: "Digits & <more>",
  about: "Drawn digits.",
  data: "digits",
  teacher: { model: "lenet5-half", epochs: 1, n: 40 },
  seeds: [0, 3],
  common: { student: "lenet5-half", n: 20, budget: 40, rounds: 1, steps: 4, batch: 8 },
  rows: [
    { name: "random", strategy: "random" },
    { name: "two lambdas", strategy: "confidence", lambdas: [0.4, 0.6], budget: 30, restart: true },
  ],
  baseline: "random",
};

function write(name: string, content: object): string {
  return folder.write(name, JSON.stringify(content));
}

const words = (file: string, out: string, ...more: string[]) =>
  ["experiment", file, "--data-root", at("data"), "--out", at(out), "--device", "cpu"].concat(more);
const experiment = (...args: Parameters<typeof words>) => cli(...words(...args));

const readJson = (...names: string[]) => JSON.parse(readFileSync(at(...names), "utf8")) as unknown;

/** When each file of a folder was written last, those that every look at it locks left out. */
function times(where: string): Record<string, number> {
  const names = readdirSync(where, { recursive: true, encoding: "utf8" }).filter((name) => !name.endsWith(".lock"));
  const files = names.filter((name) => statSync(join(where, name)).isFile());
  return Object.fromEntries(files.sort().map((name) => [name, statSync(join(where, name)).mtimeMs]));
}

beforeAll(async () => {
  folder.folder("data/digits");
  writeDigits(at("data", "digits"), 80, 30);
  write("small.json", small);
  const { code, stderr } = await experiment(at("small.json"), "out", "--quiet");
  expect(code, stderr).toBe(0);
}, 60_000);

describe("experiment", () => {
  const results = () => readJson("out", "small.json") as ExperimentResults;
  const summaryOf = (row: string, seed: number) =>
    readJson("out", "runs", "small", row, `seed-${seed}`, "summary.json") as Summary;

  it("gives the means and spreads of what its runs came to", () => {
    const { rows, teacher } = results();
    expect(rows.map(({ name, missing }) => [name, missing])).toEqual([
      ["random", []],
      ["two lambdas", []],
    ]);
    for (const row of rows) {
      const summaries = [0, 3].map((seed) => summaryOf(row.name, seed));
      expect(summaries.map(({ seed, stopped }) => [seed, stopped])).toEqual([
        [0, "plan"],
        [3, "plan"],
      ]);
      const [first, second] = summaries.map(({ student }) => student.accuracy!);
      expect(row.accuracy!.mean).toBeCloseTo((first + second) / 2, 12);
      expect(row.accuracy!.sd).toBeCloseTo(Math.abs(first - second) / Math.SQRT2, 12);
      expect(row.runs.map(({ agreement }) => agreement)).toEqual(summaries.map(({ student }) => student.agreement));
      expect(row.runs.map(({ teacherAccuracy }) => teacherAccuracy)).toEqual([teacher!.accuracy, teacher!.accuracy]);
      expect(row.queries).toEqual({ mean: summaries[0].queries, sd: 0, count: 2 });
      const [early] = summaries.map(({ rounds }) => rounds[0].test!.agreement!);
      expect(row.curve[0].queries).toBe(20);
      expect(row.curve[0].agreement!.count).toBe(2);
      expect(row.runs[0].rounds[0].test!.agreement).toBe(early);
    }
    expect(rows.map(({ queries }) => queries!.mean)).toEqual([40, 30]);
  });

  it("gives each run the options of its row, and the command that does the same", async () => {
    const { options } = readJson("out", "runs", "small", "two lambdas", "seed-3", "config.json") as {
      options: Record<string, unknown>;
    };
    expect(options).toMatchObject({ strategy: "confidence", lambdas: [0.4, 0.6], budget: 30, restart: true, seed: 3 });
    const { runs } = results().rows[1];
    const words = runs[1].command.match(/'[^']*'|\S+/g)!.map((word) => word.replaceAll("'", ""));
    expect(words.slice(0, 2)).toEqual(["activemixup", "distill"]);
    words[words.indexOf("--out") + 1] = at("by-hand");
    const { code, stderr } = await cli(...words.slice(1), "--device", "cpu", "--quiet");
    expect(code, stderr).toBe(0);
    const student = (...names: string[]) => readFileSync(at(...names, "student.safetensors"));
    expect(student("by-hand").equals(student("out", "runs", "small", "two lambdas", "seed-3"))).toBe(true);
  });

  it("keeps its teacher, with the command that trains the same", async () => {
    const { file, command, accuracy } = results().teacher!;
    const words = command.split(" ");
    words[words.indexOf("--out") + 1] = at("by-hand.safetensors");
    const { stdout } = await cli(...words.slice(1), "--device", "cpu", "--quiet", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ images: 40, epochs: 1, accuracy });
    expect(readFileSync(at("by-hand.safetensors")).equals(readFileSync(file))).toBe(true);
  });

  it("tells of it in Markdown", () => {
    const page = readFileSync(at("out", "small.md"), "utf8");
    const { rows } = results();
    const percent = (share: number) => (100 * share).toFixed(2);
    for (const { name, accuracy, queries } of rows) {
      expect(page).toContain(`| ${name} | `);
      expect(page).toContain(`| ${queries!.mean} | ${percent(accuracy!.mean)} ± ${percent(accuracy!.sd!)}% |`);
    }
    expect(page).toContain("### Of random, by accuracy");
    expect(page).toContain("![small-accuracy.svg](small-accuracy.svg)");
    expect(page).toMatch(/two lambdas, seed 0; likewise seed 3:\n\n {4}activemixup distill /);
  });

  it("draws a line and a band for each row", () => {
    for (const measure of ["accuracy", "agreement"]) {
      const svg = readFileSync(at("out", `small-${measure}.svg`), "utf8");
      checkElements(svg);
      for (const { name } of small.rows) {
        const [, path] = new RegExp(`<g[^>]* aria-description="${name}"[^>]*><path[^>]* d="([^"]+)"`).exec(svg)!;
        expect(path).toMatch(/^M[\d.,L]+$/);
        expect(svg).toContain(`>${name}</text>`);
      }
      expect(svg.match(/aria-label="area"/g)).toHaveLength(2);
      expect(svg).toContain(`>test ${measure}, %</text>`);
      expect(svg).toContain("Digits &amp; &lt;more&gt;");
    }
  });

  it("draws together what the file says, of what is finished", async () => {
    const row = { ...small.rows[0], name: "to come" };
    const charts = { both: ["two lambdas", "to come", "random"], one: ["random"], none: ["to come"] };
    const file = write("small.json", { ...small, rows: [...small.rows, row], charts });
    folder.folder("drawn");
    cpSync(at("out", "runs"), at("drawn", "runs"), { recursive: true });
    cpSync(at("out", "teachers"), at("drawn", "teachers"), { recursive: true });
    const { code, stderr } = await experiment(file, "drawn", "--table-only", "--quiet");
    write("small.json", small);
    expect(code, stderr).toBe(0);
    const drawn = readdirSync(at("drawn")).filter((name) => name.endsWith(".svg"));
    const both = ["both-accuracy", "both-agreement", "both-accuracy-share", "both-agreement-share"];
    const kinds = [...both, "one-accuracy", "one-agreement"];
    expect(drawn.sort()).toEqual(kinds.map((name) => `small-${name}.svg`).sort());
    const lines = (name: string) =>
      [...readFileSync(at("drawn", `small-${name}.svg`), "utf8").matchAll(/ aria-description="([^"]+)"/g)].map(
        ([, line]) => line,
      );
    expect(lines("both-accuracy")).toEqual(["random", "two lambdas"]);
    expect(lines("both-accuracy-share")).toEqual(["random", "two lambdas"]);
    expect(lines("one-agreement")).toEqual(["random"]);
    const page = readFileSync(at("drawn", "small.md"), "utf8");
    expect(page.match(/^!\[.*$/gm)).toEqual(kinds.map((name) => `![small-${name}.svg](small-${name}.svg)`));
  });

  it("does nothing again, and prints what is there", async () => {
    const before = [times(at("out", "runs")), times(at("out", "teachers"))];
    const { code, stdout, stderr } = await experiment(at("small.json"), "out", "--json");
    expect([code, stderr]).toEqual([0, "all runs are finished: there is nothing left to run\n"]);
    expect(JSON.parse(stdout)).toEqual({ experiments: [results()] });
    expect([times(at("out", "runs")), times(at("out", "teachers"))]).toEqual(before);
  });

  it("runs parts, goes on after Ctrl-C, and ends as if it had done all at once", async () => {
    const part = await experiment(at("small.json"), "parts", "--rows", "two lambdas", "--seeds", "3");
    expect(part.code, part.stderr).toBe(0);
    expect(part.stdout).toContain("small: random: not finished: seed 0, 3");
    expect(readFileSync(at("parts", "small.md"), "utf8")).toContain(
      "Not run, or not finished: random (seeds 0, 3); two lambdas (seed 0).",
    );
    const [done, teachers] = [at("parts", "runs", "small", "two lambdas", "seed-3"), at("parts", "teachers")];
    const before = [times(done), times(teachers)];
    const watch = setInterval(() => {
      if (!existsSync(at("parts", "runs", "small", "random", "seed-0", "config.json"))) return;
      clearInterval(watch);
      process.emit("SIGINT");
    }, 1);
    const stopped = await experiment(at("small.json"), "parts").finally(() => {
      clearInterval(watch);
    });
    expect(stopped.code, stopped.stderr).toBe(130);
    expect(existsSync(at("parts", "runs", "small", "random", "seed-3"))).toBe(false);
    const rest = await experiment(at("small.json"), "parts");
    expect(rest.code, rest.stderr).toBe(0);
    expect([times(done), times(teachers)]).toEqual(before);
    for (const { name } of small.rows) {
      for (const seed of [0, 3]) {
        const student = (out: string) =>
          readFileSync(at(out, "runs", "small", name, `seed-${seed}`, "student.safetensors"));
        expect(student("parts").equals(student("out"))).toBe(true);
      }
    }
    const onlyTables = await experiment(at("small.json"), "parts", "--table-only", "--quiet");
    expect(onlyTables).toMatchObject({ code: 0, stderr: "", stdout: rest.stdout });
  });
});

describe("results of another machine", () => {
  const page = (name: string, change: (results: ExperimentResults) => object) => {
    const results = readJson("out", "small.json") as ExperimentResults;
    return folder.write(name, JSON.stringify({ ...results, ...change(results) }));
  };
  /** With the runs of one seed alone. */
  const ofSeed = (seed: number) =>
    page(`seed-${seed}.json`, ({ rows }) => ({
      rows: rows.map((row) => ({ ...row, runs: row.runs.filter((run) => run.seed === seed) })),
    }));

  it("count as finished, and give the same tables as if all had run here", async () => {
    const here = await experiment(at("small.json"), "shared", "--seeds", "3", "--with", ofSeed(0), "--quiet");
    expect(here.code, here.stderr).toBe(0);
    expect(readdirSync(at("shared", "runs", "small", "random"))).toEqual(["seed-3"]);
    const without = (results: unknown) =>
      JSON.parse(
        JSON.stringify(results, (key, value: unknown) =>
          ["folder", "command", "seconds", "file"].includes(key) ? undefined : value,
        ),
      ) as unknown;
    expect(without(readJson("shared", "small.json"))).toEqual(without(readJson("out", "small.json")));
    const all = ["--with", ofSeed(0), "--with", ofSeed(3)];
    const none = await experiment(at("small.json"), "none-here", ...all, "--json");
    expect([none.code, none.stderr.replaceAll(folder.root, "FOLDER")]).toEqual([
      0,
      [0, 3].map((seed) => `FOLDER/seed-${seed}.json: finished runs that count: 2\n`).join("") +
        "all runs are finished: there is nothing left to run\n",
    ]);
    expect(JSON.parse(none.stdout)).toEqual({ experiments: [readJson("out", "small.json")] });
    expect(existsSync(at("none-here", "runs"))).toBe(false);
  });

  it("are refused where they are not of the same rows, data and teacher", async () => {
    const refused = async (...files: string[]) => {
      const more = files.flatMap((file) => ["--with", file]);
      const { code, stderr } = await experiment(at("small.json"), "refused", "--table-only", "--quiet", ...more);
      expect(code).toBe(2);
      expect(existsSync(at("refused"))).toBe(false);
      return stderr.replaceAll(folder.root, "FOLDER").replaceAll(/-[0-9a-f]{10}/g, "-DIGEST");
    };
    const withSettings = (changed: object) => (now: ExperimentResults) => ({
      rows: now.rows.map((row) => ({ ...row, settings: { ...row.settings, ...changed } })),
    });
    const withTeacher = (changed: object) => (now: ExperimentResults) => ({ teacher: { ...now.teacher, ...changed } });
    const withRuns = (changed: object) => (now: ExperimentResults) => ({
      rows: now.rows.map((row) => ({ ...row, runs: row.runs.map((run) => ({ ...run, ...changed })) })),
    });
    const told = [
      await refused(at("none.json")),
      await refused(at("small.json")),
      await refused(page("other-name.json", () => ({ name: "other" }))),
      await refused(page("other-data.json", ({ data }) => ({ data: { ...data, test: "digits:train" } }))),
      await refused(page("other-judge.json", () => ({ judge: "holdout" }))),
      await refused(page("steps.json", withSettings({ steps: [5] }))),
      // A default of then, or what a recipe settled.
      await refused(page("default.json", withSettings({ schedule: "constant" }))),
      await refused(page("taught.json", withTeacher({ settings: { model: "lenet5" } }))),
      await refused(page("untaught.json", () => ({ teacher: undefined }))),
      await refused(ofSeed(0), page("teacher.json", withTeacher({ accuracy: 0.5 }))),
      await refused(page("no-teacher.json", () => ({ teacher: {} }))),
      await refused(page("accuracy.json", withRuns({ accuracy: null }))),
      await refused(page("rounds.json", withRuns({ rounds: [{ queries: 40, holdout: {} }] }))),
      await refused(folder.write("text.json", "{")),
    ];
    for (const line of told) expect(line).toMatch(/^error: .+\n$/);
    expect(told.join("")).toMatchSnapshot();
  });

  it("are refused before anything is run where their teacher is not the one that is here", async () => {
    // Of one seed alone, so that there is something left to run.
    const other = page("other-teacher.json", ({ teacher, rows }) => ({
      teacher: { ...teacher, accuracy: 0.5 },
      rows: rows.map((row) => ({ ...row, runs: row.runs.slice(0, 1) })),
    }));
    cpSync(at("out", "teachers"), join(folder.folder("taught-here"), "teachers"), { recursive: true });
    const { code, stderr } = await experiment(at("small.json"), "taught-here", "--quiet", "--with", other);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^error: --with .*other-teacher.json was taught by .*, test accuracy 0.5, and the runs here by/,
    );
    expect(existsSync(at("taught-here", "runs"))).toBe(false);
  });
});

describe("several experiments", () => {
  it("have their tables together, and pages of their own", async () => {
    const other = write("other.json", { ...small, title: "Others", reduced: "nothing is run", baseline: undefined });
    const both = [other, "--data-root", at("data"), "--out", at("out"), "--table-only", "--quiet"];
    const { code, stdout } = await cli("experiment", at("small.json"), ...both);
    expect(code).toBe(0);
    const [head, ...lines] = stdout.split("\n");
    // 80 columns; what is wider goes on below.
    expect(head).toMatch(/^experiment +row +teacher +queries +accuracy +agreement +time$/);
    expect(lines[0]).toMatch(/^small +random +\d/);
    expect(lines[2]).toMatch(/^other +random( +–){5}$/);
    expect(stdout).toMatch(/^experiment +row +seeds\nsmall +random +2 of 2$/m);
    expect(stdout).toMatch(/^other +random +0 of 2$/m);
    expect(stdout).toContain("other is reduced: nothing is run\n");
    expect(readFileSync(at("out", "other.md"), "utf8")).toContain("**Reduced: nothing is run**");
    expect(existsSync(at("out", "other-accuracy.svg"))).toBe(false);
  });

  /** Releases a lock once the command has said that it came to it. */
  const releaseAt = (said: string, lock: Awaited<ReturnType<typeof lockFile>>) => (text: string) => {
    if (text.includes(said)) void lock.release();
  };

  it("wait for a teacher that another process trains", async () => {
    const [name] = readdirSync(at("out", "teachers")).filter((file) => file.endsWith(".lock"));
    folder.folder("waiting/teachers");
    const lock = await lockFile(at("waiting", "teachers", name), "the teacher");
    const args = words(at("small.json"), "waiting", "--rows", "random", "--seeds", "0");
    const { code, stderr } = await captured(() => run(args), releaseAt("being trained by another process", lock));
    expect(code).toBe(0);
    expect(stderr).toMatch(/^the teacher .*\.safetensors is being trained by another process; waiting for it$/m);
  });

  it("leave a run that another process is at for the end, and wait for it", async () => {
    const held = folder.folder("waiting/runs/small/random/seed-3");
    const lock = await lockFile(join(held, "run.lock"), "the run");
    const args = words(at("small.json"), "waiting", "--seeds", "3");
    const { code, stderr } = await captured(() => run(args), releaseAt("left for the end", lock));
    expect(code, stderr).toBe(0);
    expect(stderr.match(/^small, random, seed 3: left for the end, .*: the run in .* is in use by/gm)).toHaveLength(1);
    const finished = (row: string) => statSync(at("waiting", "runs", "small", row, "seed-3", "summary.json")).mtimeMs;
    expect(finished("two lambdas")).toBeLessThan(finished("random"));
  });
});

/** Requires each element to end where it should. */
function checkElements(svg: string): void {
  const open: string[] = [];
  for (const [, end, name, single] of svg.matchAll(/<(\/?)([\w-]+)(?:\s[\w:-]+="[^"<]*")*\s*(\/?)>/g)) {
    if (end) expect(open.pop()).toBe(name);
    else if (!single) open.push(name);
  }
  expect(open).toEqual([]);
  expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  expect(svg.match(/</g)!.length).toBe(svg.match(/<\/?[\w-]+(?:\s[\w:-]+="[^"<]*")*\s*\/?>/g)!.length);
}

describe("experiment's mistakes", () => {
  const attempt = async (content: object | string, ...more: string[]) => {
    const file = folder.write("small.json", typeof content === "string" ? content : JSON.stringify(content));
    const { code, stderr, stdout } = await experiment(file, "mistakes", "--quiet", ...more);
    expect([code, stdout]).toEqual([2, ""]);
    expect(existsSync(at("mistakes"))).toBe(false);
    // What `distill` takes grows.
    return stderr.replaceAll(folder.root, "FOLDER").replace(/(no option; expected one of ).*student.*/, "$1OPTIONS");
  };
  const withRow = (row: object) => ({ ...small, rows: [{ name: "row", ...row }], baseline: undefined });

  it("are told in one line, before anything is begun", async () => {
    const told = [
      await attempt("{"),
      await attempt({ ...small, sseeds: [1] }),
      await attempt({ ...small, rows: [{ strategy: "random" }] }),
      await attempt({ ...small, rows: [{ name: "../up" }] }),
      await attempt({ ...small, rows: [{ name: "a" }, { name: "A" }] }),
      await attempt({ ...small, seeds: [1, 1] }),
      await attempt({ ...small, data: 3 }),
      await attempt({ ...small, baseline: "none" }),
      await attempt({ ...small, rows: [{ ...small.rows[0], baseline: "none" }] }),
      await attempt({ ...small, charts: { all: ["random", "none"] } }),
      await attempt({ ...small, charts: { "../up": ["random"] } }),
      await attempt({ ...small, charts: { none: [] } }),
      await attempt({ ...small, teacher: { epochs: 2 } }),
      await attempt({ ...small, teacher: { model: "lenet5", epoch: 2 } }),
      await attempt(withRow({ out: "x" })),
      await attempt(withRow({ per_round: 3 })),
      await attempt(withRow({ n: "many" })),
      await attempt(withRow({ n: null })),
      await attempt(withRow({ pool: true })),
      await attempt(withRow({ restart: 2 })),
      await attempt(withRow({ candidates: "mixture", lambdas: [0.5] })),
      await attempt(small, "--rows", "randm"),
      await attempt(small, "--seeds", "0,1"),
      await attempt(small, "--table-only", "--rows", "random"),
      await attempt(small, "--table-only", "--rows", "random", "--seeds", "0"),
      await attempt(small, "--rows", "random", "--seeds", "5", write("of-five.json", { ...withRow({}), seeds: [5] })),
      await attempt(small, at("small.json")),
      await attempt({ ...small, charts: { both: ["random"] } }, write("small-both.json", small)),
      await attempt(small, at("none.json")),
    ];
    for (const line of told) expect(line).toMatch(/^error: .+\n$/);
    expect(told.join("")).toMatchSnapshot();
  });

  it("of options that the method refuses are told with their row, before any run", async () => {
    const { code, stderr } = await experiment(
      write("unfit.json", { ...small, rows: [small.rows[0], { name: "poor", budget: 10 }] }),
      "unfit",
      "--quiet",
    );
    expect(code).toBe(2);
    expect(stderr.replaceAll(folder.root, "FOLDER")).toMatch(/^error: FOLDER\/unfit\.json: row "poor": --budget .*\n$/);
    expect(existsSync(at("unfit", "runs"))).toBe(false);
  });

  it("in the folder of teachers are told before another is trained in its place", async () => {
    const [teacher] = readdirSync(at("out", "teachers")).filter((name) => name.endsWith(".safetensors"));
    folder.write(`spoilt/teachers/${teacher}`, "");
    const record = folder.folder(`spoilt/teachers/${teacher.replace(/safetensors$/, "json")}`);
    const { code, stderr } = await experiment(write("small.json", small), "spoilt", "--quiet");
    expect(code).toBe(2);
    expect(stderr).toBe(
      `error: ${record} cannot be read (EISDIR); see that you may read it, or remove it and ${at("spoilt", "teachers", teacher)}\n`,
    );
  });

  it("do not mix runs of other options, or of another teacher", async () => {
    const changed = { ...small, common: { ...small.common, steps: 5 } };
    const refused = async (content: object) => {
      const { code, stderr } = await experiment(write("small.json", content), "out", "--table-only");
      expect(code).toBe(2);
      return stderr.replaceAll(folder.root, "FOLDER").replaceAll(/-[0-9a-f]{10}/g, "-DIGEST");
    };
    expect(await refused(changed)).toMatchInlineSnapshot(`
      "error: FOLDER/out/runs/small/random/seed-0 was begun with other options than FOLDER/small.json has for row "random": steps is now [5], and was [4]; remove that folder to run it anew, or name the row otherwise
      "
    `);
    expect(await refused({ ...small, teacher: { ...small.teacher, rate: 0.01 } })).toMatchInlineSnapshot(`
      "error: FOLDER/out/teachers/digits-lenet5-half-DIGEST.safetensors was trained with other options than FOLDER/small.json has: rate is now 0.01, and was 0.001; give a new --out, or remove the teacher and the runs that it taught
      "
    `);
  });
});
