import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { RunConfig } from "../../cli/distill/config.js";
import { extendRun } from "../../cli/distill/extend.js";
import type { Summary } from "../../cli/distill/summary.js";
import { temporaryFolder } from "../data/fixtures.js";
import { cli, writeDigits } from "./cli.js";

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder.root, ...names);
const broken = at("broken");

beforeAll(() => {
  writeDigits(folder.root, 40, 10);
  // Says of an image what its pixels add up to, until it breaks.
  const source = `
    import { existsSync } from "node:fs";
    export const classes = 10;
    export const name = "sums";
    export const manner = { batch: 5 };
    export const query = ({ count, pixels }) => {
      if (existsSync(${JSON.stringify(broken)})) throw Object.assign(new Error("broken"), { fatal: true });
      return Array.from({ length: count }, (_, image) => {
        const size = pixels.length / count;
        const sum = pixels.subarray(image * size, (image + 1) * size).reduce((all, pixel) => all + pixel, 0);
        return Array.from({ length: 10 }, (_, label) => (label === sum % 10 ? 0.91 : 0.01));
      });
    };`;
  writeFileSync(at("sums.mjs"), source);
});

const distill = async (out: string, budget: number, ...more: string[]) =>
  cli(
    "distill",
    ...["--images", `${folder.root}:train`, "--n", "20", "--student", "lenet5-half", "--out", at(out)],
    ...["--teacher", `module:${at("sums.mjs")}`, "--budget", String(budget), "--batch", "8"],
    ...["--device", "cpu", "--json", "--no-report", ...more],
  );
const extend = (out: string, budget: number, ...more: string[]) =>
  cli("distill", "--resume", at(out), "--budget", String(budget), "--json", "--no-report", ...more);

/** Requires success. */
async function ended(outcome: ReturnType<typeof cli>): Promise<Summary> {
  const { code, stdout, stderr } = await outcome;
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Summary;
}
const configOf = (out: string) => JSON.parse(readFileSync(at(out, "config.json"), "utf8")) as RunConfig;
const studentOf = (out: string) => readFileSync(at(out, "student.safetensors"));

const plain = ["--holdout", "0", "--reserve", "0"];
const one = [...plain, "--rounds", "1", "--steps", "2", "--pool", "150"];

describe("a larger budget", () => {
  it.each([
    ["the paper's blends", ["--strategy", "confidence"]],
    ["a mixture", ["--strategy", "badge", "--candidates", "mixture", "--shrink", "0.5"]],
  ])(
    "comes to what a run comes to that had it from the first: %s",
    async (_, method) => {
      const name = method[1];
      await ended(
        distill(
          `${name}-whole`,
          60,
          ...plain,
          "--pool",
          "150",
          ...method,
          "--totals",
          "30,40,50,60",
          "--steps",
          "3,2,4,4,4",
        ),
      );
      await ended(
        distill(`${name}-part`, 40, ...plain, "--pool", "150", ...method, "--totals", "30,40", "--steps", "3,2,4"),
      );
      const summary = await ended(extend(`${name}-part`, 60));
      expect(summary).toMatchObject({ queries: 60, budget: 60, stopped: "plan" });
      expect(summary.teachers).toMatchObject([{ spent: 60, answered: 60 }]);
      expect(configOf(`${name}-part`).method).toEqual(configOf(`${name}-whole`).method);
      expect(studentOf(`${name}-part`)).toEqual(studentOf(`${name}-whole`));
    },
    60_000,
  );

  it("keeps what was held out and the rounds as they were planned, and asks in those that are named", async () => {
    await ended(distill("named", 40, "--pool", "150", "--rounds", "2", "--steps", "2"));
    const { method } = configOf("named");
    expect(method.reserve).toBeGreaterThan(0);
    const last = 40 - method.reserve;
    const summary = await ended(extend("named", 80, "--totals", "50,70"));
    expect(summary.rounds.map(({ queries }) => queries)).toEqual([20, 20 + Math.ceil((last - 20) / 2), last, 50, 70]);
    expect(summary.holdout).toMatchObject({ images: 2 });
    expect(configOf("named").method).toMatchObject({ budget: 80, reserve: 2 * method.reserve });
  }, 60_000);

  it("goes on wherever it was stopped", async () => {
    await ended(distill("stopped", 30, ...one));
    writeFileSync(broken, "");
    const failed = await extend("stopped", 40);
    rmSync(broken);
    expect(failed.code).toBe(2);
    expect(failed.stderr).toContain("broken");
    // The run is not finished any more; the request that failed may have been charged for.
    const short = await ended(cli("distill", "--resume", at("stopped"), "--json"));
    expect(short).toMatchObject({ queries: 35, stopped: "budget" });
    expect(existsSync(at("stopped", "report.html"))).toBe(true);
    // A budget that was used up before the plan came to its end can be raised too.
    expect(await ended(extend("stopped", 50))).toMatchObject({ queries: 45, stopped: "plan" });
  }, 60_000);

  it("has a closing round behind the further ones", async () => {
    await ended(distill("closing", 30, ...one));
    const config = configOf("closing");
    const method = { ...config.method, pseudoLabels: 8, steps: [2, 3, 4] };
    const { options, method: further } = extendRun({ ...config, method }, [], { budget: 50 });
    expect(further).toMatchObject({ budget: 50, totals: [30, 40, 50], steps: [2, 3, 3, 3, 4] });
    expect(options).toMatchObject({ budget: 50, totals: [30, 40, 50], steps: [2, 3, 3, 3, 4] });
  });

  it("is refused where it is none, or would change nothing", async () => {
    await ended(distill("done", 30, ...one));
    await ended(distill("real", 20, ...plain, "--strategy", "real-only", "--steps", "2"));
    await ended(distill("closed", 30, ...one, "--pseudo-labels", "8"));
    await ended(distill("committee", 30, ...one, "--strategy", "committee", "--committee", "2"));
    await ended(
      distill("patient", 40, "--pool", "150", "--rounds", "3", "--steps", "1", "--rate", "1e-9", "--patience", "1"),
    );
    const told = [
      await extend("done", 30),
      await extend("done", 40, "--totals", "30"),
      await extend("done", 40, "--totals", "50"),
      await extend("done", 40, "--rounds", "2"),
      await cli("distill", "--resume", at("done"), "--totals", "40"),
      await extend("real", 40),
      await extend("closed", 40),
      await extend("committee", 40),
      await extend("patient", 60),
    ];
    for (const { code, stdout } of told) expect([code, stdout]).toEqual([2, ""]);
    const errors = told.map(({ stderr }) => /^error: .*$/m.exec(stderr)![0].replaceAll(folder.root, "FOLDER"));
    expect(errors).toMatchInlineSnapshot(`
      [
        "error: --budget is 30, and the run has 30 already; give a larger one",
        "error: --totals holds 30 after 30; expected growing numbers, each above the one before, from above --n 20",
        "error: --totals ends with 50, and the budget covers 40; raise --budget or lower the last",
        "error: --rounds is given together with --resume, which goes on as FOLDER/done/config.json says; drop --rounds",
        "error: --totals beside --resume is of a larger budget; give --budget too, or leave it out",
        "error: the run's --strategy real-only asks about the real images alone: no larger --budget is of use",
        "error: the run's closing round of --pseudo-labels is done, and none can follow it; begin anew with --ledger FOLDER/closed/ledger, which pays for no answer twice",
        "error: the run's committee has not learnt its last answers, and cannot choose further; begin anew with --ledger FOLDER/committee/ledger, which pays for no answer twice",
        "error: the run has ended by --patience, not for its budget; begin anew with --ledger FOLDER/patient/ledger, which pays for no answer twice",
      ]
    `);
    expect(configOf("done").method.budget).toBe(30);
    expect((await ended(cli("distill", "--resume", at("done"), "--json"))).stopped).toBe("plan");
  }, 60_000);
});
