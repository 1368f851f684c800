import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, expect, it } from "vitest";
import type { RunConfig } from "../../cli/distill/config.js";
import type { Summary } from "../../cli/distill/summary.js";
import { verifyLedger } from "../../src/activemixup/ledger/read-ledger.node.js";
import { sleep } from "../../src/activemixup/ledger/pacer.js";
import { openImageSet } from "../../src/data/index.js";
import { allFaults, answerTo, FaultyServer } from "../activemixup/teacher/faulty-server.js";
import { temporaryFolder } from "../data/fixtures.js";
import { cli, writeDigits } from "./cli.js";

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder.root, ...names);
const TOKEN = "planted-7f3a+/9c";
const QUERIES = 150;
const BATCH = 4;
const CONCURRENCY = 3;
let server: FaultyServer | undefined;

beforeAll(() => {
  writeDigits(folder.root, 60, 10);
  const asking = { batch: BATCH, concurrency: CONCURRENCY, timeoutSeconds: 0.4, backoffSeconds: 0.01, attempts: 40 };
  const http = { headers: { authorization: "Bearer ${PLANTED_TOKEN}" } };
  writeFileSync(at("teacher.json"), JSON.stringify({ asking, http }));
  process.env.PLANTED_TOKEN = TOKEN;
});

afterEach(async () => {
  await server?.stop();
  server = undefined;
});

const distill = (url: string, out: string, ...more: string[]) =>
  cli(
    "distill",
    ...["--images", `${folder.root}:train`, "--n", "30", "--student", "lenet5-half", "--out", at(out), "--json"],
    ...["--teacher", url, "--teacher-config", at("teacher.json"), "--budget", "1000", "--reserve", "850"],
    ...["--rounds", "3", "--steps", "2", "--batch", "8", "--pool", "200", "--lambdas", "0.3,0.6", "--device", "cpu"],
    ...more,
  );

/** The text of every file in a folder and below. */
function everythingIn(path: string): string {
  if (!statSync(path).isDirectory()) return readFileSync(path, "latin1");
  return readdirSync(path)
    .map((name) => everythingIn(join(path, name)))
    .join("\n");
}

it("completes against every fault and a server that is restarted in the middle; nothing is lost or told", async () => {
  const faulty = await new FaultyServer({ faults: allFaults, seed: 3, rate: 0.3, token: TOKEN }).start();
  server = faulty;
  const running = distill(faulty.url, "run");
  while (faulty.answered < QUERIES / 2) await sleep(0.005);
  await faulty.stop();
  await sleep(0.3);
  await faulty.start();
  const { code, stdout, stderr } = await running;
  expect(code, stderr).toBe(0);
  expect(Object.keys(faulty.happened).sort()).toEqual(expect.arrayContaining([...allFaults].sort()));

  const summary = JSON.parse(stdout) as Summary;
  expect(summary).toMatchObject({ queries: QUERIES, stopped: "plan" });
  const [{ answered, failed, lost, spent }] = summary.teachers;
  expect({ answered, lost }).toEqual({ answered: QUERIES, lost: 0 });
  expect(spent).toBe(answered + failed);
  // What was on its way when the server went down was charged for, as far as the run can know.
  expect(spent - faulty.accepted).toBeGreaterThanOrEqual(0);
  expect(spent - faulty.accepted).toBeLessThanOrEqual(CONCURRENCY * BATCH);

  const [file] = readdirSync(at("run", "ledger")).filter((name) => name.endsWith(".ledger"));
  const { damage, answers } = await verifyLedger(at("run", "ledger", file));
  expect(damage).toEqual([]);
  expect(answers.size).toBe(QUERIES);

  const told = `${stdout}${stderr}${everythingIn(at("run"))}`;
  expect(told).toContain("HTTP 500"); // failures are told, in the ledger
  for (const secret of [TOKEN, encodeURIComponent(TOKEN), btoa(TOKEN), TOKEN.slice(0, 8)]) {
    expect(told).not.toContain(secret);
  }
}, 60_000);

it("does not ask a service about test images unless told to, and then outside the budget, in an account of its own", async () => {
  const faulty = await new FaultyServer({ faults: ["ok", "500"], token: TOKEN }).start();
  server = faulty;
  const some = ["--test", `${folder.root}:test`, "--budget", "40", "--reserve", "4", "--rounds", "1"];
  const silent = JSON.parse((await distill(faulty.url, "silent", ...some)).stdout) as Summary;
  expect(faulty.accepted).toBe(40); // 36, and one request of four that failed
  expect(silent).toMatchObject({
    queries: 36,
    evaluationQueries: 0,
    student: { accuracy: expect.any(Number) as number },
  });
  expect(silent.student).not.toHaveProperty("agreement");
  expect(silent).not.toHaveProperty("testTeachers");
  const { stdout } = await distill(faulty.url, "asked", ...some, "--ask-test");
  const asked = JSON.parse(stdout) as Summary;
  expect(faulty.accepted).toBe(40 + 36 + 10);
  expect(asked).toMatchObject({ queries: 36, evaluationQueries: 10, teachers: [{ spent: 36 }] });
  expect(asked.testTeachers).toMatchObject([{ spent: 10, answered: 10, failed: 0 }]);
  expect(asked.student.agreement).toBeGreaterThanOrEqual(0);
}, 60_000);

it("ends within the budget where failures use it up, and says so", async () => {
  const faulty = await new FaultyServer({ faults: [], seed: 3, rate: 0.5, token: TOKEN }).start();
  server = faulty;
  const { code, stdout } = await distill(faulty.url, "short", "--budget", "150", "--reserve", "0");
  expect(code).toBe(0);
  const summary = JSON.parse(stdout) as Summary;
  const [{ answered, failed, spent }] = summary.teachers;
  expect(summary.stopped).toBe("budget");
  expect(spent).toBe(150);
  expect(answered + failed).toBe(150);
  expect(faulty.accepted).toBe(150); // to the image what the server counted
}, 60_000);

it("trains on the mean of several teachers, with a labels file and the top labels of one, and says so", async () => {
  const faulty = await new FaultyServer({ token: TOKEN }).start();
  server = faulty;
  writeFileSync(at("labels.txt"), Array.from({ length: 10 }, (_, digit) => `digit ${digit}\n`).join(""));
  const module = `export const form = "top";
    export const classes = 10;
    export const query = ({ count }) => Array.from({ length: count }, () => ({ labels: ["digit 3", 4], scores: [0.5, 0.3] }));`;
  writeFileSync(at("top.mjs"), module);
  writeFileSync(at("none.json"), "{}");
  const { code, stdout, stderr } = await distill(
    faulty.url,
    "several",
    ...["--teacher", `module:${at("top.mjs")}`, "--teacher-config", at("none.json")],
    ...["--labels", at("labels.txt"), "--holdout", "0"],
  );
  expect(code, stderr).toBe(0);
  const { teachers } = JSON.parse(stdout) as Summary;
  expect(teachers.map(({ answered }) => answered)).toEqual([QUERIES, QUERIES]);
  const {
    teachers: told,
    network,
    chosen,
  } = JSON.parse(readFileSync(at("several", "config.json"), "utf8")) as RunConfig;
  expect(told.map(({ answers }) => answers)).toEqual([
    "probabilities, as they are",
    "the top labels with scores; what is left of 1 is spread evenly over the other classes",
  ]);
  expect(network.classNames?.[9]).toBe("digit 9");
  const lines = readFileSync(at("several", "queries.jsonl"), "utf8").trim().split("\n");
  expect(lines).toHaveLength(QUERIES);
  const { channels, height, width } = network.image;
  const { label } = JSON.parse(lines[0]) as { label: number[] };
  const { pixels } = await openImageSet(`${folder.root}:train`);
  const first = pixels.subarray(chosen[0] * channels * height * width, (chosen[0] + 1) * channels * height * width);
  const mean = answerTo(first).map((share, digit) => (share + (digit === 3 ? 0.5 : digit === 4 ? 0.3 : 0.2 / 8)) / 2);
  for (const [digit, share] of mean.entries()) expect(label[digit]).toBeCloseTo(share, 5);
}, 60_000);

it("stops at what asking again does not help, with the server's own message and without the token", async () => {
  const faulty = await new FaultyServer({ faults: ["ok", "refuse"], token: TOKEN }).start();
  server = faulty;
  const { code, stdout, stderr } = await distill(faulty.url, "refused", "--quiet");
  expect(code).toBe(2);
  expect(stdout).toBe("");
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(stderr.replaceAll(/127\.0\.0\.1:\d+/g, "HOST").replaceAll(/\([0-9a-f]{8}\)/g, "(DIGEST)"))
    .toMatchInlineSnapshot(`
    "error: the teacher http://HOST/ refuses the request (HTTP 400: no luck with Bearer ***); mend the settings
    "
  `);
  expect(`${stderr}${everythingIn(at("refused"))}`).not.toContain(TOKEN);

  // What was answered is kept, and the run goes on once the cause is mended.
  const resumed = await cli("distill", "--resume", at("refused"), "--device", "cpu", "--json", "--quiet");
  expect(resumed.code, resumed.stderr).toBe(0);
  const [{ answered }] = (JSON.parse(resumed.stdout) as Summary).teachers;
  expect(answered).toBe(QUERIES);
}, 60_000);
