import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createBench } from "../../bench/program.js";
import { runProgram } from "../../cli/run.js";
import { encodeTuning, tuningKey, type Measured } from "../../src/kernels/index.js";
import { readTuning } from "../../src/kernels/tune/store.node.js";
import { openDevice } from "../../src/tensor/index.js";
import { captured } from "../cli/cli.js";
import { temporaryFolder } from "../data/fixtures.js";

const bench = (...args: string[]) =>
  captured(() => runProgram(createBench, ["--tuned", "--filter", "linear 128×512→10 dw", ...args]));

const folder = temporaryFolder();
const before = process.env.XDG_CACHE_HOME;

beforeAll(() => {
  process.env.XDG_CACHE_HOME = join(folder.root, "cache");
});
afterAll(() => {
  if (before === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = before;
});

/** Writes what `tune` would of bench's own profile, had it measured `register` to be the fastest for the row. */
async function remember(): Promise<string> {
  const measured: Measured = {
    key: "matmul 10x512x128 tn",
    byRule: "subgroup",
    date: "2026-12-01T00:00:00.000Z",
    timings: { subgroup: { milliseconds: [2] }, register: { milliseconds: [1] } },
  };
  const device = await openDevice("webgpu", { profile: "safe" });
  const key = await tuningKey(device);
  device.destroy();
  const { path } = await readTuning(key);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, encodeTuning({ key, problems: [measured] }));
  return path;
}

it("is refused where nothing was measured with the profile", async () => {
  const { code, stdout, stderr } = await bench();
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(/^error: --tuned: nothing is measured yet on .+ with --profile safe; measure by .+\n$/);
  expect(stderr).toContain("`activemixup tune --profile safe`");
});

it("runs what was measured to be the fastest, and says so", async () => {
  const path = await remember();
  const { code, stdout, stderr } = await bench();
  expect(code, stderr).toBe(0);
  expect(stdout).toContain("variants: as measured on this device for 1 problem, else by rule\n");

  const other = await bench("--profile", "fast");
  expect([other.code, other.stderr]).toEqual([2, expect.stringContaining("with --profile fast; measure by")]);

  writeFileSync(path, "{");
  const damaged = await bench();
  expect(damaged.code).toBe(2);
  expect(damaged.stderr).toContain(`error: --tuned: ${path} is damaged, or of another release; measure by `);
}, 120_000);
