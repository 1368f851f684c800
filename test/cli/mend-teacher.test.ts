import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import type { RunConfig } from "../../cli/distill/config.js";
import { closeTeachers } from "../../cli/distill/prepare.js";
import type { Summary } from "../../cli/distill/summary.js";
import { serviceManner, type Teacher } from "../../src/activemixup/teacher/teacher.js";
import { temporaryFolder } from "../data/fixtures.js";
import { cli, writeDigits } from "./cli.js";

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder.root, ...names);
const file = (name: string, text: string) => {
  writeFileSync(at(name), text);
  return at(name);
};

beforeAll(() => {
  writeDigits(folder.root, 30, 10);
});

const distill = (teacher: string, out: string, ...more: string[]) =>
  cli(
    "distill",
    ...["--images", `${folder.root}:train`, "--n", "20", "--student", "lenet5-half", "--out", at(out)],
    ...["--teacher", `module:${teacher}`, "--budget", "100"],
    ...["--rounds", "1", "--steps", "2", "--batch", "8", "--pool", "150", "--device", "cpu", "--json"],
    ...more,
  );

it("goes on with mended settings of a teacher, and keeps them", async () => {
  const teacher = file(
    "narrow.mjs",
    `export const classes = 10;
    export const query = ({ count }) => {
      if (count > 4) throw Object.assign(new Error("too many images\\nat a time"), { fatal: true, charged: false });
      return Array.from({ length: count }, () => Array(10).fill(0.1));
    };`,
  );
  const before = file("before.json", '{"asking":{"batch":16}}');
  const first = await distill(teacher, "narrow", "--teacher-config", before);
  expect([first.code, first.stdout]).toEqual([2, ""]);
  expect(first.stderr).toContain("too many images at a time\n");

  const otherwise = file("otherwise.json", '{"answer":{"form":"logits"}}');
  const refused = await cli("distill", "--resume", at("narrow"), "--teacher-config", otherwise);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(
    /--teacher \S+ is now module:\S+ \([0-9a-f]{8}\), and was module:\S+ when the run began/,
  );

  const after = file("after.json", '{"asking":{"batch":4}}');
  const { code, stdout, stderr } = await cli("distill", "--resume", at("narrow"), "--teacher-config", after, "--json");
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ queries: 84, stopped: "plan" });
  const config = JSON.parse(readFileSync(at("narrow", "config.json"), "utf8")) as RunConfig;
  expect(config).toMatchObject({ teacherSettings: [{ asking: { batch: 4 } }], options: { teacherConfig: [after] } });
}, 60_000);

it("asks anew where the same answers are read otherwise", async () => {
  const teacher = file(
    "named.mjs",
    `export const classes = 10;
    export const form = "label";
    export const query = ({ count }) => Array.from({ length: count }, (_, image) => (image % 2 === 0 ? "a" : "b"));`,
  );
  const labels = (name: string, ...first: string[]) => file(name, [...first, ..."cdefghij"].join("\n"));
  const ledger = ["--ledger", at("ledger")];
  const known: number[] = [];
  const empty = file("empty.json", '{"answer":{}}');
  for (const [out, names, ...settings] of [
    ["one", labels("ab.txt", "a", "b")],
    ["same", labels("ab.txt", "a", "b"), "--teacher-config", empty],
    ["other", labels("ba.txt", "b", "a")],
  ]) {
    const { code, stdout, stderr } = await distill(teacher, out, "--labels", names, ...settings, ...ledger);
    expect(code, stderr).toBe(0);
    known.push((JSON.parse(stdout) as Summary).teachers[0].answered);
  }
  expect(known[0]).toBeGreaterThan(0);
  expect(known).toEqual([known[0], 0, known[0]]);
}, 60_000);

it("warns of a teacher that cannot be closed, and ends well", async () => {
  const teacher = file(
    "stuck.mjs",
    `export const classes = 10;
    export const query = ({ count }) => Array.from({ length: count }, () => Array(10).fill(0.1));
    export const close = () => { throw new Error("the door is stuck"); };`,
  );
  const { code, stdout, stderr } = await distill(teacher, "stuck");
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(
    /\nwarning: the teacher module:stuck.mjs:[0-9a-f]{16} cannot be closed: Error: the door is stuck\n/,
  );
  expect(JSON.parse(stdout)).toMatchObject({ stopped: "plan" });
}, 60_000);

it("waits for no teacher that never closes, and closes the others", async () => {
  const closed: string[] = [];
  const lines: string[] = [];
  const teachers = ["hanging", "well"].map((name): Teacher => {
    const dispose = () => (name === "hanging" ? new Promise<void>(() => undefined) : void closed.push(name));
    return { name, classes: 2, manner: serviceManner, query: () => Promise.reject(new Error()), dispose };
  });
  await closeTeachers(teachers, { say: (line) => lines.push(line) }, 0.02);
  expect(lines).toEqual(["warning: the teacher hanging cannot be closed: Error: it has not closed within 0.02 s"]);
  expect(closed).toEqual(["well"]);
  // Nothing is waited for any more.
  const timers = () => process.getActiveResourcesInfo().filter((one) => one === "Timeout").length;
  const before = timers();
  await closeTeachers(teachers.slice(1), { say: (line) => lines.push(line) });
  expect(timers()).toBeLessThanOrEqual(before);
});

it("says that a config.json without the method is none", async () => {
  mkdirSync(at("bare"));
  const config = JSON.parse(readFileSync(at("stuck", "config.json"), "utf8")) as Record<string, unknown>;
  delete config.method;
  writeFileSync(at("bare", "config.json"), JSON.stringify(config));
  const refusals = [await cli("distill", "--resume", at("bare"))];
  copyFileSync(at("stuck", "summary.json"), at("bare", "summary.json"));
  refusals.push(await cli("report", at("bare")));
  for (const { code, stdout, stderr } of refusals) {
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^error: \S+config.json: method: .+\n$/);
  }
});

it("goes on without images that the teacher never answers, where told to", async () => {
  const teacher = file(
    "partial.mjs",
    `export const classes = 10;
    export const manner = { attempts: 2, batch: 1, backoffSeconds: 0 };
    const sum = (pixels) => pixels.reduce((total, pixel) => total + pixel, 0);
    export const query = ({ pixels }) => [sum(pixels) % 3 === 1 ? [1] : Array(10).fill(0.1)];`,
  );
  const first = await distill(teacher, "partial", "--holdout", "0");
  expect(first.code).toBe(2);
  expect(first.stderr).toContain("leave such images out (--skip-unanswered), then go on");
  const { code, stdout, stderr } = await cli("distill", "--resume", at("partial"), "--skip-unanswered", "--json");
  expect(code, stderr).toBe(0);
  expect(stderr).toContain("they are left out");
  expect(JSON.parse(stdout)).toHaveProperty("stopped");
  // Told once, for good.
  const config = JSON.parse(readFileSync(at("partial", "config.json"), "utf8")) as RunConfig;
  expect(config).toMatchObject({ options: { skipUnanswered: true }, method: { skipUnanswered: true } });
}, 60_000);

it("says nothing of a test set of which the teacher answers nothing", async () => {
  const teacher = file(
    "shy.mjs",
    `export const classes = 10;
    let asked = 0;
    export const manner = { attempts: 1, batch: 10 };
    export const query = ({ count, pixels }) =>
      Array.from({ length: count }, () => (asked++ < 10 ? [1] : Array(10).fill(0.1)));`,
  );
  const test = ["--test", `${folder.root}:test`, "--ask-test", "--skip-unanswered"];
  const { code, stdout, stderr } = await distill(teacher, "shy", ...test);
  expect(code, stderr).toBe(0);
  const { student } = JSON.parse(stdout) as Summary;
  expect(student).not.toHaveProperty("agreement");
  expect(student.accuracy).toBeGreaterThanOrEqual(0);
  expect(stdout).not.toContain("null");
}, 60_000);

it("refuses a teacher of more classes than there is room for", async () => {
  const teacher = file("huge.mjs", "export const classes = 2 ** 31; export const query = () => [];");
  const { code, stdout, stderr } = await distill(teacher, "huge");
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(/\nerror: module:\S+: its export classes: Too big: expected number to be <=1048576; .+\n$/);
});
