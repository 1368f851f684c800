import { Command } from "commander";
import { describe, expect, it, vi } from "vitest";
import type { Summary } from "../../cli/distill/summary.js";
import { describeRun } from "../../cli/distill/describe.js";
import { formatTime, StreamProgress } from "../../cli/progress.js";
import { runProgram } from "../../cli/run.js";
import { formatTable } from "../../cli/table.js";
import { InputError } from "../../src/errors.js";
import { captured } from "./cli.js";
import { hasColours, paintsOf, tableLayout, type ColourVariables } from "../../cli/terminal.js";

const terminal = { isTTY: true, columns: 100 };
const pipe = {};

describe("colours", () => {
  it.each<[string, object, ColourVariables, boolean]>([
    ["are on a terminal", terminal, { TERM: "xterm" }, true],
    ["are in no pipe", pipe, { TERM: "xterm" }, false],
    ["are not where NO_COLOR is set", terminal, { NO_COLOR: "1" }, false],
    ["are where NO_COLOR is empty, which says nothing", terminal, { NO_COLOR: "" }, true],
    ["are on no dumb terminal", terminal, { TERM: "dumb" }, false],
    ["are in a pipe where FORCE_COLOR is set", pipe, { FORCE_COLOR: "1" }, true],
    ["are nowhere where FORCE_COLOR is 0", terminal, { FORCE_COLOR: "0" }, false],
    ["follow FORCE_COLOR before NO_COLOR, as Node's do", terminal, { FORCE_COLOR: "1", NO_COLOR: "1" }, true],
  ])("%s", (_, stream, variables, expected) => {
    expect(hasColours(stream, variables)).toBe(expected);
    expect(paintsOf(stream, variables).red("x")).toBe(expected ? "\x1b[31mx\x1b[39m" : "x");
  });

  it("set off warnings and the part of the bar that is done, and change no text", () => {
    const write = (FORCE_COLOR: string) => {
      process.env.FORCE_COLOR = FORCE_COLOR;
      const written: string[] = [];
      const stream = { ...terminal, write: (text: string) => written.push(text) };
      const progress = new StreamProgress(stream as unknown as NodeJS.WriteStream);
      progress.say("warning: the teacher is slow");
      progress.update("round 1 train", 5, 10, "steps");
      progress.end();
      return written.join("");
    };
    const before = process.env.FORCE_COLOR;
    const [coloured, plain] = ["1", "0"].map(write);
    process.env.FORCE_COLOR = before;
    expect(coloured).toContain("\x1b[33mwarning:\x1b[39m the teacher is slow\n");
    expect(coloured).toContain("[\x1b[36m##########\x1b[39m          ] 50%");
    // eslint-disable-next-line no-control-regex
    expect(coloured.replaceAll(/\x1b\[\d+m/g, "")).toBe(plain);
  });
});

describe("tables", () => {
  const rows = [
    ["strategy", "queries", "accuracy", "agreement"],
    ["confidence", "2000", "97.50%", "98.00%"],
  ];

  it("stand as they are where they fit", () => {
    expect(formatTable(rows, { columns: 40 })).toBe(
      "strategy    queries  accuracy  agreement\nconfidence     2000    97.50%     98.00%",
    );
  });

  it("go on below, behind their first column, where they do not", () => {
    expect(formatTable(rows, { columns: 39 })).toBe(
      "strategy    queries  accuracy\nconfidence     2000    97.50%\n\nstrategy    agreement\nconfidence     98.00%",
    );
    expect(formatTable(rows, { columns: 5 }).split("\n\n")).toHaveLength(3);
  });

  it("have the width of a terminal, and 80 characters elsewhere", () => {
    expect(tableLayout(terminal).columns).toBe(100);
    expect(tableLayout({ isTTY: true }).columns).toBe(80);
    expect(tableLayout(pipe).columns).toBe(80);
  });

  it("have their head in bold where there are colours", () => {
    const { head } = tableLayout(pipe, { FORCE_COLOR: "1" });
    expect(formatTable([["a"], ["b"]], { head })).toBe("\x1b[1ma\x1b[22m\nb");
  });
});

it("times are in seconds below a minute, and then in minutes", () => {
  expect([0, 3.21, 59.94, 59.96, 65, 36_000].map(formatTime)).toEqual([
    "0.0 s",
    "3.2 s",
    "59.9 s",
    "1:00",
    "1:05",
    "600:00",
  ]);
});

it("a run's table fits 80 characters, however long it went on, with test and held-out images", () => {
  const seconds = { prepare: 1, select: 59.94, query: 59_000, train: 59_999, evaluate: 1 };
  const agreement = { value: 1, low: 0.9, high: 1 };
  const round = {
    ...{ round: 100, asked: 1, queries: 1_000_000, unanswered: 0, skipped: 0, steps: 1, loss: 10.1234, seconds },
    holdout: { agreement, divergence: agreement },
    test: { agreement: 1, accuracy: 1 },
  };
  const summary = {
    ...{ rounds: [round], holdout: { images: 10 }, evaluation: "mnist:test", teachers: [], teacher: {}, skipped: 0 },
    ...{ queries: 1, strategy: "random", candidates: "mix", evaluationQueries: 0, stopped: "plan" },
  } as unknown as Summary;
  const [head, row, next] = describeRun(summary, "run").split("\n");
  expect(head).toMatch(/^round +queries +loss +held out +agreement +accuracy +select +query +train$/);
  expect(Math.max(head.length, row.length)).toBeLessThanOrEqual(80);
  expect(row).toMatch(/^100 +1000000 +10\.1234 .* 59\.9 s +983:20 +999:59$/);
  expect(next).toMatch(/^done: /);
});

describe("the exit code", () => {
  const failing = (error: Error) => () =>
    new Command().action(() => {
      throw error;
    });

  it("tells a mistake, in one line, from a bug, with its stack", async () => {
    const mistake = await captured(() => runProgram(failing(new InputError("--n is 0; give more")), []));
    expect(mistake).toEqual({ code: 2, stdout: "", stderr: "error: --n is 0; give more\n" });
    const bug = await captured(() => runProgram(failing(new TypeError("x is undefined")), []));
    expect(bug.code).toBe(1);
    expect(bug.stderr).toMatch(/^TypeError: x is undefined\n +at /);
    expect(await captured(() => runProgram(() => new Command().action(() => undefined), []))).toMatchObject({
      code: 0,
    });
  });

  it("is that of Ctrl-C at once where it comes a second time", async () => {
    const exit = vi.spyOn(process, "exit").mockReturnValue(undefined as never);
    try {
      const stopping = (signal: AbortSignal) =>
        new Command().action(
          () =>
            new Promise((_, reject) => {
              signal.addEventListener("abort", () => setTimeout(reject, 50, signal.reason));
            }),
        );
      const ended = captured(() => runProgram(stopping, []));
      process.emit("SIGINT");
      expect(exit).not.toHaveBeenCalled();
      process.emit("SIGINT");
      expect(exit.mock.calls).toEqual([[130]]);
      expect((await ended).code).toBe(130);
    } finally {
      exit.mockRestore();
    }
  });
});

describe("a hangup", () => {
  /** A command line that takes its time to stop. */
  const slowly = (signal: AbortSignal) =>
    new Command().action(
      () =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => setTimeout(reject, 20, signal.reason));
        }),
    );

  it("stops what tells that terminal its progress, once, however many processes tell of it", async () => {
    const { isTTY } = process.stderr;
    const written = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    const exit = vi.spyOn(process, "exit").mockImplementation(() => {
      throw new Error("exit");
    });
    try {
      process.stderr.isTTY = true;
      const ended = runProgram(slowly, []);
      for (let time = 0; time < 2; time++) process.emit("SIGHUP");
      expect(await ended).toBe(130);
      expect(exit).not.toHaveBeenCalled();
      expect(written.mock.calls).toEqual([["\nstopping; what is done is kept (again to stop at once)\n"]]);
    } finally {
      process.stderr.isTTY = isTTY;
      vi.restoreAllMocks();
    }
  });

  it("is nothing to a command whose progress goes elsewhere", async () => {
    const { isTTY } = process.stderr;
    try {
      process.stderr.isTTY = false;
      const ended = runProgram(slowly, []);
      process.emit("SIGHUP");
      expect(await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 60, "goes on"))])).toBe("goes on");
      const written = vi.spyOn(process.stderr, "write").mockReturnValue(true);
      process.emit("SIGTERM");
      expect(await ended).toBe(130);
      expect(written).toHaveBeenCalledOnce();
    } finally {
      process.stderr.isTTY = isTTY;
      vi.restoreAllMocks();
    }
  });
});
