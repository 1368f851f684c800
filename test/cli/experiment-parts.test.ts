import { Command } from "commander";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drawCharts } from "../../cli/experiment/chart.js";
import { queriesToReach, sharesOf, spreadOf, type CurvePoint } from "../../cli/experiment/curve.js";
import type { Experiment } from "../../cli/experiment/file.js";
import { formatShare, formatSpread, markdown } from "../../cli/experiment/markdown.js";
import { parseOptionValues, shellLine, type OptionValues } from "../../cli/experiment/option-line.js";
import { parseExperiment, rowSettings } from "../../cli/experiment/file.js";
import { experimentResults, type ExperimentResults } from "../../cli/experiment/results.js";
import { meanCurve, rowResult, runResult, type RunResult } from "../../cli/experiment/row-result.js";
import { optionDifference } from "../../cli/experiment/same-options.js";
import type { Summary } from "../../cli/distill/summary.js";

/** What rows need of a baseline's queries. */
const sharesIn = ({ shares }: ExperimentResults, measure: "accuracy" | "agreement", of = "base") =>
  shares![measure]!.find(({ baseline }) => baseline === of)!.shares;

const curve = (...points: [number, number][]): CurvePoint[] => points.map(([queries, value]) => ({ queries, value }));

/** Where the horizontal axis of a chart is, in pixels from its top. */
const BOTTOM = 388;

describe("what a run came to", () => {
  const estimate = (value: number) => ({ value });
  const holdout = { agreement: estimate(0.5), divergence: estimate(2) };
  const summaryOf = (evaluation: string | undefined, student: object) =>
    ({
      ...{ queries: 10, evaluation, student, teacher: {}, seconds: {}, device: {} },
      rounds: [{ round: 0, queries: 10, steps: 1, holdout }],
    }) as unknown as Summary;
  const came = (evaluation: string | undefined, student: object = {}) => {
    const { accuracy, agreement, divergence } = runResult(0, "", "", summaryOf(evaluation, student));
    return { accuracy, agreement, divergence };
  };

  it("is on held-out images where there was no test, and only there", () => {
    expect(came(undefined)).toEqual({ accuracy: undefined, agreement: 0.5, divergence: 2 });
    // Whom nobody asked about test images: the kept student's accuracy is not told beside another's agreement.
    expect(came("t", { accuracy: 0.1 })).toEqual({ accuracy: 0.1, agreement: undefined, divergence: undefined });
    expect(came("t", { accuracy: 0.1, agreement: 0.2 })).toMatchObject({ agreement: 0.2, divergence: undefined });
  });
});

describe("spread over seeds", () => {
  it("is the mean and the sample standard deviation", () => {
    expect(spreadOf([1, 2, 6])).toEqual({ mean: 3, sd: Math.sqrt(7), count: 3 });
    expect(spreadOf([0.5])).toEqual({ mean: 0.5, count: 1 });
    expect(spreadOf([])).toBeUndefined();
  });

  it("is shown in percent", () => {
    expect(formatSpread({ mean: 0.98987, sd: 0.00052, count: 3 })).toBe("98.99 ± 0.05%");
    expect(formatSpread({ mean: 0.98987, count: 1 })).toBe("98.99%");
    expect(formatSpread(undefined)).toBe("–");
  });
});

describe("queries that a row needs", () => {
  it("lie between rounds by the logarithm of the queries", () => {
    const reached = queriesToReach(curve([1000, 0.9], [4000, 0.96]), 0.93)!;
    expect(reached.queries).toBeCloseTo(2000, 8);
    expect(reached.atMost).toBe(false);
  });

  it("are the fewest, also where the curve falls again", () => {
    expect(queriesToReach(curve([100, 0.5], [200, 0.9], [400, 0.7], [800, 0.9]), 0.9)!.queries).toBeCloseTo(200, 8);
  });

  it("are at most those of the first round where that is above, and none where the curve stays below", () => {
    expect(queriesToReach(curve([100, 0.9], [200, 0.95]), 0.8)).toEqual({ queries: 100, atMost: true });
    expect(queriesToReach(curve([100, 0.9], [200, 0.95]), 0.9)).toEqual({ queries: 100, atMost: false });
    expect(queriesToReach(curve([100, 0.9]), 0.91)).toBeUndefined();
    expect(queriesToReach([], 0.9)).toBeUndefined();
  });

  it("are shares of the baseline's at each of its budgets", () => {
    const baseline = curve([500, 0.9], [1000, 0.92], [2000, 0.97], [4000, 0.99]);
    const shares = sharesOf(curve([500, 0.92], [2000, 0.97]), baseline);
    expect(shares.map(formatShare)).toEqual(["≤ 100% (500)", "50% (500)", "100% (2,000)", "not reached"]);
    expect(shares[1]).toMatchObject({ of: 1000, value: 0.92, reached: { share: 0.5 } });
  });

  it("are not counted twice where a round asked nothing: the later one stands", () => {
    const rounds = [
      [500, 0.8],
      [900, 0.85],
      [900, 0.9],
    ].map(([queries, accuracy]) => ({ queries, steps: 1, test: { accuracy } }));
    const run = { seed: 0, queries: 900, accuracy: 0.9, seconds: 1, rounds } as unknown as RunResult;
    const row = rowResult({ name: "row", options: {} }, {}, [0], [run]);
    expect(row.curve.map(({ queries, accuracy }) => [queries, accuracy])).toEqual([
      [500, { mean: 0.8, count: 1 }],
      [900, { mean: 0.9, count: 1 }],
    ]);
    expect(meanCurve(row, "accuracy").at(-1)).toEqual({ queries: 900, value: 0.9 });
  });

  it("are counted without those about held-out images where these are the judge", () => {
    const point = (queries: number, value: number) => ({ queries, steps: 1, holdout: { agreement: { value } } });
    const rowOf = (name: string, at: number, settings: object) => {
      const rounds = [point(500, 0.8), point(at, 0.9)].map(({ holdout, ...rest }) => ({
        ...rest,
        holdout: { ...holdout, divergence: { value: 0 } },
      }));
      const run = { seed: 0, queries: at, seconds: 1, rounds, command: "", device: "" } as unknown as RunResult;
      return rowResult({ name, options: {}, baseline: "base" }, { n: 500, ...settings }, [0], [run]);
    };
    const rows = [rowOf("base", 1200, { holdout: 0.8 }), rowOf("half", 800, { holdout: 0.8 })];
    const about = { title: "", about: "", data: {}, seeds: [0], baseline: "base" };
    const results = (judge: string, of = rows) =>
      experimentResults({ ...about, judge } as unknown as Experiment, of, undefined);
    expect(sharesIn(results("holdout"), "agreement").half.map(formatShare)).toEqual(["100% (100)", "50% (400)"]);
    expect(sharesIn(results("test"), "agreement").half.map(formatShare)).toEqual(["100% (500)", "67% (800)"]);
    expect(markdown(results("holdout"), [])).toContain("Queries about held-out images are not counted here.");
    // As the command: a tenth unless told otherwise.
    const untold = [rowOf("base", 850, {})];
    expect(sharesIn(results("holdout", untold), "agreement").base.map(({ of }) => of)).toEqual([450, 800]);
  });

  it("are held against those of the seeds that both have finished, which are told", () => {
    const runOf = (seed: number, at: number, value: number) => {
      const rounds = [500, at].map((queries, index) => ({ queries, steps: 1, test: { accuracy: value + index / 10 } }));
      return { seed, queries: at, seconds: 1, rounds, command: "", device: "" } as unknown as RunResult;
    };
    const rowOf = (name: string, ...runs: RunResult[]) => {
      const baseline = name === "own" ? "early" : "base";
      return rowResult({ name, options: {}, baseline }, {}, [0, 1, 2], runs);
    };
    const rows = [
      rowOf("base", runOf(0, 2000, 0.5), runOf(1, 2000, 0.7)),
      rowOf("level with seed 0", runOf(0, 2000, 0.5)),
      rowOf("early", runOf(0, 1000, 0.5)),
      rowOf("apart", runOf(2, 2000, 0.5)),
      rowOf("to come"),
      rowOf("own", runOf(0, 4000, 0.5), runOf(1, 4000, 0.1)),
    ];
    const about = { title: "", about: "", data: {}, seeds: [0, 1, 2], judge: "test", baseline: "base" };
    const results = experimentResults(about as unknown as Experiment, rows, undefined);
    expect(sharesIn(results, "accuracy").early.map(({ of, value }) => [of, value])).toEqual([
      [500, 0.5],
      [2000, 0.6],
    ]);
    const page = markdown(results, []);
    const tables = page.slice(page.indexOf("## Shares of another row's queries"), page.indexOf("## Commands"));
    expect(tables.match(/^[#|].*/gm)).toEqual([
      "## Shares of another row's queries",
      "### Of base, by accuracy",
      "| row | 60.00% at 500 | 70.00% at 2,000 |",
      "| --- | ---: | ---: |",
      "| base (seeds 0, 1) | 100% (500) | 100% (2,000) |",
      "| level with seed 0 (seed 0) | 100% (500) | 100% (2,000) |",
      "| early (seed 0) | 100% (500) | 50% (1,000) |",
      "| apart (seed 2) | – | – |",
      "### Of early, by accuracy",
      "| row | 50.00% at 500 | 60.00% at 1,000 |",
      "| --- | ---: | ---: |",
      "| early (seed 0) | 100% (500) | 100% (1,000) |",
      "| own (seeds 0, 1) | 100% (500) | 400% (4,000) |",
    ]);
  });

  it("are drawn as shares of the baseline's, with a gap where a row does not get there", async () => {
    const rowOf = (name: string, seed: number, ...values: number[]) => {
      const rounds = values.map((accuracy, index) => ({ queries: 500 * 2 ** index, steps: 1, test: { accuracy } }));
      const run = { seed, queries: 4000, seconds: 1, rounds, command: "", device: "" } as unknown as RunResult;
      return rowResult({ name, options: {}, baseline: name === "too" ? "late" : "base" }, {}, [seed], [run]);
    };
    // The second needs twice the queries for 50 and 60%, has no 90%, and as many for 80%; "far" needs four times
    // as many for 60%, which is too many to be drawn.
    const late = [0.4, 0.5, 0.6, 0.8];
    const rows = [rowOf("base", 0, 0.5, 0.6, 0.9, 0.8), rowOf("late", 0, ...late), rowOf("too", 0, ...late)];
    rows.push(rowOf("far", 0, 0.4, 0.5, 0.55, 0.6), rowOf("lost", 0, 0.4), rowOf("apart", 1, 0.5));
    const about = { title: "", about: "", data: {}, seeds: [0, 1], judge: "test", baseline: "base" };
    const results = experimentResults(about as unknown as Experiment, rows, undefined);
    const groups = {
      all: rows.map(({ name }) => name),
      base: ["base", "apart"],
      lost: ["base", "lost"],
      two: ["base", "late"],
      own: ["too"],
    };
    const charts = new Map((await drawCharts(results, groups)).map(({ name, svg }) => [name, svg]));
    expect([...charts.keys()].filter((name) => name.endsWith("-share"))).toEqual(
      ["all", "two", "own"].map((name) => `${name}-accuracy-share`),
    );
    const texts = (name: string) =>
      [...charts.get(`${name}-accuracy-share`)!.matchAll(/>([a-z][^<]*)<\/text>/g)].map(([, text]) => text);
    const what = "queries for the same test accuracy, %";
    expect(texts("all")).toEqual([
      what,
      "queries of base, or of the row that is named",
      "base",
      "late",
      "too, of late",
      "far",
      "lost",
    ]);
    expect(texts("two")).toEqual([what, "queries of base", "base", "late"]);
    expect(texts("own")).toEqual([what, "queries of late", "too"]);
    const svg = charts.get("all-accuracy-share")!;
    const pieces = (name: string) => {
      const [, path] = new RegExp(`<g[^>]* aria-description="${name}"[^>]*><path[^>]* d="M([^"]+)"`).exec(svg)!;
      return path.split("M").map((piece) => piece.split("L").map((place) => place.split(",").map(parseFloat)));
    };
    const [[[x500, whole], [x1000]]] = pieces("base");
    const [twice, [[x4000, same]]] = pieces("late");
    expect(twice).toEqual([500, 1000].map((_, index) => [[x500, x1000][index], 2 * whole - BOTTOM]));
    expect(x4000).toBeCloseTo(x500 + 7 * (x1000 - x500), 1);
    expect(same).toBe(whole);
    expect(pieces("far")).toEqual([[[x500, 2 * whole - BOTTOM]]]);
  });

  it("are told of as such where only the last of them come with pseudo-labels", () => {
    const page = (closing: object) => {
      const rounds = [{ queries: 500 }, { queries: 500, ...closing }].map((round) => ({ ...round, steps: 1 }));
      const run = { seed: 0, queries: 500, seconds: 1, rounds, command: "", device: "" } as unknown as RunResult;
      const rows = [rowResult({ name: "closed", options: {} }, {}, [0], [run])];
      return markdown({ title: "", about: "", rows } as unknown as ExperimentResults, []);
    };
    expect(page({ pseudoLabels: 40 })).toContain("With pseudo-labels at their last point alone: closed.");
    expect(page({})).not.toContain("pseudo-labels");
  });

  it("are all of the baseline's where the row is the baseline and rises", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 6 }), (steps) => {
        const rising = steps.map((_, index) => steps.slice(0, index + 1).reduce((sum, step) => sum + step, 0));
        const points = rising.map((sum) => ({ queries: 10 * sum, value: sum }));
        for (const { reached } of sharesOf(points, points)) expect(reached!.share).toBeCloseTo(1, 10);
      }),
    );
  });
});

describe("options of a file", () => {
  const parse = (values: OptionValues) =>
    parseOptionValues<Record<string, unknown>>(
      (command: Command) =>
        command
          .requiredOption("--where <place>")
          .option("--per-round <count>", "", Number)
          .option("--list <numbers>", "", (text) => text.split(",").map(Number))
          .option("--flag")
          .option("--no-check")
          .option("--depth <count>", "", Number, 3),
      values,
      ["--where", "here"],
      ["where"],
      "a.json: row",
    );

  it("are read as the command reads its own", () => {
    const { options, given, words } = parse({ perRound: 4, list: [1, 2.5], flag: true, check: false });
    expect(options).toEqual({ where: "here", perRound: 4, list: [1, 2.5], flag: true, check: false, depth: 3 });
    expect([...given]).toEqual(["perRound", "list", "flag", "check"]);
    expect(shellLine(words)).toBe("--per-round 4 --list 1,2.5 --flag --no-check");
  });

  it("may be taken back", () => {
    const { options, words } = parse({ perRound: null, flag: false, check: true });
    expect(options).toEqual({ where: "here", check: true, depth: 3 });
    expect(words).toEqual([]);
  });

  it("are values where the option takes one", () => {
    expect(() => parse({ depth: false })).toThrow("a.json: row: depth is false; expected a value, or null");
    expect(() => parse({ depth: true })).toThrow("a.json: row: depth is true; expected a value");
    expect(() => parse({ flag: 1 })).toThrow("a.json: row: flag is 1; expected true or false");
  });

  it("make words that a shell reads as one", () => {
    expect(shellLine(["a b", "it's", "λ", "x:train", ""])).toBe(`'a b' 'it'\\''s' 'λ' x:train ''`);
  });
});

describe("options of earlier work", () => {
  const difference = (then: object, now: object, meant: string[] = []) =>
    optionDifference(then, now, new Set(meant), ["out"]);

  it("differ where a value does", () => {
    expect(difference({ n: 1, out: "a" }, { n: 1, out: "b" })).toBeUndefined();
    expect(difference({ lambdas: [0.3] }, { lambdas: [0.5] })).toBe("lambdas is now [0.5], and was [0.3]");
    expect(difference({ pool: 5 }, {})).toBe("pool is now absent, and was 5");
  });

  it("do not differ by a default that came since", () => {
    expect(difference({}, { depth: 3 })).toBeUndefined();
    expect(difference({}, { depth: 3 }, ["depth"])).toBe("depth is now 3, and was absent");
  });

  it("differ by what a recipe came to mean since", () => {
    const rows = [{ name: "ours", recipe: "best" }];
    const common = { student: "lenet5-half", n: 10, budget: 20 };
    const file = { title: "a", about: "b", data: "digits", teacher: { model: "lenet5" }, seeds: [0], common, rows };
    const experiment = parseExperiment(file, "a.json");
    const { settings, meant } = rowSettings(experiment, experiment.rows[0]);
    const without = (name: string) => Object.fromEntries(Object.entries(settings).filter(([other]) => other !== name));
    expect(optionDifference(without("temperature"), settings, meant, [])).toBe("temperature is now 4, and was absent");
    expect(optionDifference(without("rate"), settings, meant, [])).toBeUndefined();
    expect(optionDifference(without("epochs"), settings, meant, [])).toBeUndefined();
  });

  it("leave images to judge by, where held-out ones are the judge", () => {
    const rows = [{ name: "all", holdout: 0 }];
    const common = { student: "lenet5-half", n: 10, budget: 20 };
    const teacher = { model: "lenet5" };
    const file = { title: "a", about: "b", data: "digits", judge: "holdout", teacher, seeds: [0], common, rows };
    expect(() => parseExperiment(file, "a.json")).toThrow(
      'a.json: row "all": holdout is 0, and the experiment judges by held-out images; give a share above 0',
    );
    expect(() => parseExperiment({ ...file, judge: "test" }, "a.json")).not.toThrow();
  });
});
