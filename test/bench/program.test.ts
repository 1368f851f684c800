import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBench, progress } from "../../bench/program.js";
import type { Report } from "../../bench/report.js";
import { runProgram } from "../../cli/run.js";
import { captured } from "../cli/cli.js";
import { report, row } from "./fixtures.js";

const bench = (...args: string[]) => captured(() => runProgram(createBench, args));

let folder = "";
const file = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "bench-"));
  writeFileSync(file("old.json"), JSON.stringify(report([row({ rate: 10, lowest: 9, highest: 11 })])));
  writeFileSync(file("new.json"), JSON.stringify(report([row({ rate: 30, lowest: 29, highest: 31 })])));
  writeFileSync(file("notes.txt"), "no report");
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe("mistakes end with 2 and one line", () => {
  it.each([
    [
      ["--filter", "no row at all"],
      'error: --filter "no row at all" fits no row of the quick run; --list --full shows all rows',
    ],
    [["--list", "--filter", "vgg16 training"], '--filter "vgg16 training" fits no row of the quick run; --list --full'],
    [
      ["--profile", "quick"],
      "error: option '--profile <name>' argument 'quick' is invalid. Allowed choices are safe, fast.",
    ],
    [
      ["--memory", "--filter", "vgg16"],
      "error: --filter is of rows that are timed, and --memory times none: leave it out",
    ],
    [["--filtre", "x"], "error: unknown option '--filtre'"],
    [["extra"], "error: too many arguments. Expected 0 arguments but got 1."],
    [["--compare", "nowhere.json"], "error: --compare nowhere.json: cannot be read (ENOENT"],
    [["--with", "new.json"], "error: --with names the newer of two reports; name the older one by --compare"],
  ])("%j", async (args, message) => {
    const { code, stdout, stderr } = await bench(...args);
    expect(stderr).toContain(message);
    expect(stderr.replace("(Did you mean --filter?)\n", "").trim().split("\n").length).toBe(1);
    expect([code, stdout]).toEqual([2, ""]);
  });

  it("also where a file holds no report", async () => {
    const { code, stderr } = await bench("--compare", file("notes.txt"));
    expect([code, stderr.trim().split("\n").length]).toEqual([2, 1]);
    expect(stderr).toContain("notes.txt: is not JSON");
  });
});

it("compares two files without measuring", async () => {
  const text = await bench("--compare", file("old.json"), "--with", file("new.json"));
  expect([text.code, text.stderr]).toEqual([0, ""]);
  expect(text.stdout).toContain("1 faster, 0 slower, 0 within the spread");
  const json = await bench("--compare", file("old.json"), "--with", file("new.json"), "--json");
  expect(JSON.parse(json.stdout)).toMatchObject({ rows: [{ name: row().name, ratio: 3, withinSpread: false }] });
});

it("lists rows with the mark of those that only --full runs", async () => {
  const { code, stdout } = await bench("--list", "--full", "--filter", "matmul 4096");
  expect([code, stdout]).toEqual([0, "matmul 4096³  (--full)  (hardware only)\n"]);
  const json = await bench("--list", "--json", "--filter", "matmul 512");
  expect(JSON.parse(json.stdout)).toEqual([{ name: "matmul 512³", full: false, hardware: false }]);
});

it("measures a row on WebGPU from end to end, and compares it", async () => {
  const name = "linear 128×512→10 dw";
  const { code, stdout, stderr } = await bench("--filter", name, "--json");
  expect(code).toBe(0);
  expect(stderr).toContain(`[1/1] ${name}, `);
  const measured = JSON.parse(stdout) as Report;
  expect(measured).toMatchObject({
    suite: "quick",
    profile: "safe",
    node: process.version,
    device: { kind: "webgpu" },
  });
  expect(measured.dawn).toMatch(/^Dawn \(webgpu \d+\.\d+\.\d+/);
  const [only] = measured.rows;
  expect(measured.rows.length).toBe(1);
  expect(only).toMatchObject({ name, profile: "safe", unit: "GFLOP/s", bound: "multiply-add" });
  expect(only.samples.length).toBe(5);
  expect(only.lowest).toBeLessThanOrEqual(only.rate);
  expect(only.rate).toBeLessThanOrEqual(only.highest);
  expect(only.rate).toBeCloseTo((2 * 128 * 512 * 10) / (only.milliseconds / 1000) / 1e9, 6);
  const ceiling = measured.ceilings["multiply-add"];
  expect(ceiling.passes.length).toBe(2);
  expect(only.share).toBeCloseTo(only.rate / Math.max(...ceiling.passes), 6);

  writeFileSync(file("measured.json"), stdout);
  const again = await bench("--filter", name, "--compare", file("measured.json"));
  expect(again.code).toBe(0);
  expect(again.stdout).toContain("ceilings: multiply-add ");
  expect(again.stdout).toMatch(/new\/old/);
});

it("tells the number of the row and the time left", () => {
  expect(progress(0, 46, "matmul 512³", 4)).toBe("[ 1/46] matmul 512³, 3:04 left");
  expect(progress(45, 46, "lowest", 92)).toBe("[46/46] lowest, 0:02 left");
});
