import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Summary } from "../../cli/distill/summary.js";
import { readLedger } from "../../src/activemixup/ledger/read-ledger.node.js";
import { sleep } from "../../src/activemixup/ledger/pacer.js";
import { startFaultyProcess, type FaultyProcess } from "../activemixup/teacher/faulty-server.js";
import { bundleChild } from "../child.js";
import { temporaryFolder } from "../data/fixtures.js";
import { writeDigits } from "./cli.js";

/** Kills of the whole test. */
const KILLS = 20;
/** Kills of one run, one after the other; each may cost what was under way. */
const KILLS_OF_A_RUN = 5;
/** Runs side by side: they mostly wait for the server. */
const CHAINS = 3;
const QUERIES = 80;
const UNDER_WAY = 2 * 4;
/** Room for failed attempts and for what was under way at each kill. */
const RESERVE = 400;

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder.root, ...names);
let script: string;
let server: FaultyProcess;

beforeAll(async () => {
  script = await bundleChild("cli/main.ts", folder.root);
  copyFileSync("package.json", at("package.json")); // the version stands there
  writeDigits(folder.root, 40, 1);
  server = await startFaultyProcess({ seed: 7, rate: 0.3, latency: 5 });
  const asking = { batch: 4, concurrency: 2, timeoutSeconds: 0.2, backoffSeconds: 0.005, attempts: 30 };
  writeFileSync(at("teacher.json"), JSON.stringify({ asking }));
});

afterAll(async () => {
  await server.stop();
});

/**
 * Runs the command as a process.
 * @param kill kills it so many milliseconds after a file is there, if it still runs then
 */
async function command(
  args: readonly string[],
  kill?: { readonly after: number; readonly file: string },
): Promise<{ killed: boolean; stdout: string }> {
  const child = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const written = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => (written[stream] += text));
  }
  const closed = once(child, "close");
  while (kill && child.exitCode === null && !existsSync(kill.file)) await sleep(0.005);
  const timer = kill && setTimeout(() => child.kill("SIGKILL"), kill.after);
  const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  if (signal === null) expect(code, written.stderr).toBe(0);
  return { killed: signal === "SIGKILL", stdout: written.stdout };
}

// Nothing rests on the report, and what draws it takes longer to load than these runs take.
const common = ["--device", "cpu", "--quiet", "--json", "--no-report"];
const start = (out: string) => [
  "distill",
  ...["--images", `${folder.root}:train`, "--n", "20", "--student", "lenet5-half", "--out", at(out)],
  ...["--teacher", server.url, "--teacher-config", at("teacher.json"), "--holdout", "0.2"],
  ...["--budget", String(QUERIES + RESERVE), "--reserve", String(RESERVE), "--rounds", "4", "--steps", "2"],
  ...["--pool", "80", "--lambdas", "0.3,0.6"],
  ...["--batch", "8", ...common],
];

async function answersIn(run: string): Promise<Map<string, Float32Array>> {
  const [file] = readdirSync(at(run, "ledger")).filter((name) => name.endsWith(".ledger"));
  return new Map((await readLedger(at(run, "ledger", file))).answers);
}

it("goes on, and says what came of it, where nobody reads its progress any more", async () => {
  const args = start("unread").filter((word) => word !== "--quiet");
  const child = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  child.stderr.destroy();
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  expect(await once(child, "close")).toEqual([0, null]);
  expect(JSON.parse(stdout)).toMatchObject({ queries: QUERIES, stopped: "plan" });
}, 60_000);

it("goes on after a hangup where its progress goes elsewhere than to the terminal, as under nohup", async () => {
  const child = spawn(process.execPath, [script, ...start("hung-up")], { stdio: ["ignore", "pipe", "ignore"] });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  const closed = once(child, "close");
  while (!existsSync(at("hung-up", "config.json"))) await sleep(0.005);
  child.kill("SIGHUP");
  expect(await closed).toEqual([0, null]);
  expect(JSON.parse(stdout)).toMatchObject({ stopped: "plan" });
}, 60_000);

it(`${KILLS} times killed at any moment and resumed, runs end with the same student and the same answers`, async () => {
  const began = performance.now();
  await command(start("whole"));
  const length = performance.now() - began;
  const student = readFileSync(at("whole", "student.safetensors"));
  const answers = await answersIn("whole");
  expect(answers.size).toBe(QUERIES);

  let kills = 0;
  /** Kills before the first round was finished, and after. */
  const stages = [0, 0];
  let lost = 0;
  /** Some kills are to meet requests under way. */
  const enough = () => kills >= KILLS && (lost > 0 || kills >= 3 * KILLS);
  /** At first soon after the run has begun, of one as its ledger is made, then after a finished round and at any time in turns. */
  const moment = (out: string, ofRun: number) =>
    ofRun === 0
      ? { after: out === "run-1" ? 0 : (Math.random() * length) / 10, file: at(out, "ledger") }
      : { after: Math.random() * length, file: at(out, ofRun % 2 === 1 ? "checkpoint.safetensors" : "config.json") };
  const killAndResume = async (out: string) => {
    let summary: Summary | undefined;
    for (let ofRun = 0; summary === undefined;) {
      const args = existsSync(at(out, "config.json")) ? ["distill", "--resume", at(out), ...common] : start(out);
      const mayKill = ofRun < KILLS_OF_A_RUN && !enough();
      const { killed, stdout } = await command(args, mayKill ? moment(out, ofRun) : undefined);
      if (killed) {
        stages[existsSync(at(out, "checkpoint.safetensors")) ? 1 : 0]++;
        kills++;
        ofRun++;
      } else summary = JSON.parse(stdout) as Summary;
    }
    expect(readFileSync(at(out, "student.safetensors")).equals(student)).toBe(true);
    expect(await answersIn(out)).toEqual(answers);
    expect(readFileSync(at(out, "queries.jsonl"), "utf8")).toBe(readFileSync(at("whole", "queries.jsonl"), "utf8"));
    const [account] = summary.teachers;
    expect(account.answered).toBe(QUERIES);
    expect(account.spent).toBe(QUERIES + account.failed + account.lost);
    expect(account.lost).toBeLessThanOrEqual(KILLS_OF_A_RUN * UNDER_WAY);
    expect(summary).toMatchObject({ queries: QUERIES, stopped: "plan" });
    lost += account.lost;
    rmSync(at(out), { recursive: true });
  };
  let runs = 0;
  const chain = async () => {
    while (!enough()) await killAndResume(`run-${++runs}`);
  };
  await Promise.all(Array.from({ length: CHAINS }, chain));
  expect(kills).toBeGreaterThanOrEqual(KILLS);
  expect(Math.min(...stages)).toBeGreaterThan(0);
  expect(lost).toBeGreaterThan(0);
}, 300_000);
