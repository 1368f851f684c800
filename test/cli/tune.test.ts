import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeMeasured, summariseMeasured } from "../../cli/tuning.js";
import { rememberedVariants, type Measured } from "../../src/kernels/index.js";
import { openDevice } from "../../src/tensor/index.js";
import { temporaryFolder } from "../data/fixtures.js";
import { cli, writeDigits } from "./cli.js";

const folder = temporaryFolder();
const cache = join(folder.root, "cache");
const kept = join(cache, "activemixup", "tuning");
const before = process.env.XDG_CACHE_HOME;

beforeAll(() => {
  process.env.XDG_CACHE_HOME = cache;
});
afterAll(() => {
  if (before === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = before;
});

interface Result {
  readonly file: string;
  readonly interrupted: boolean;
  readonly problems: readonly (Measured & { readonly winner: string })[];
}

/** The products of a small network's linear layers: three problems, whose candidates share their pipelines. */
const network = ["--model", "lenet5-half", "--image", "1x12x12", "--classes", "2", "--batch", "2"];
const small = [...network, "--scoring-batch", "2", "--only", " nt"];
const tune = (...more: string[]) => cli("tune", ...small, ...more);
const parse = (stdout: string) => JSON.parse(stdout) as Result;
const hide = (text: string) => text.replaceAll(folder.root, "FOLDER").replace(/[0-9a-f]{16}\.json/, "NAME.json");

describe("tune", () => {
  it("has nothing to show before it has run, as doctor says", async () => {
    expect((await cli("tune", "--list")).stdout).toBe("nothing is measured yet on this device\n");
    expect((await cli("tune", "--list", "--only", "conv")).stdout).toBe(
      'nothing whose name holds "conv" is measured yet on this device\n',
    );
    expect((await cli("doctor")).stdout).toMatch(/tuned: +not yet; `activemixup tune` finds out/);
    expect(existsSync(kept)).toBe(false);
  });

  it("keeps what is measured on Ctrl-C, and goes on from there", async () => {
    const running = tune("--json");
    while (!existsSync(kept) || readdirSync(kept).every((name) => !name.endsWith(".json"))) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    process.emit("SIGINT");
    const { code, stdout, stderr } = await running;
    expect(code, stderr).toBe(130);
    const first = parse(stdout);
    expect(first.interrupted).toBe(true);
    expect(first.problems.length).toBeGreaterThanOrEqual(1);
    expect(first.problems.length).toBeLessThan(3);

    const rest = await tune("--json");
    expect(rest.code, rest.stderr).toBe(0);
    expect(rest.stderr).toContain(`${first.problems.length} of 3 problems were measured before\n`);
    expect(rest.stderr).toMatch(/tuning \[#{20}\] 100% (\d+)\/\1 candidates, .* candidates\/s, took /);
    const all = parse(rest.stdout);
    expect(all).toMatchObject({ interrupted: false, file: first.file });
    expect(all.problems).toHaveLength(3);
    expect(all.problems.slice(0, first.problems.length)).toEqual(first.problems);
    for (const { byRule, winner, timings } of all.problems) {
      expect(Object.keys(timings)).toEqual(expect.arrayContaining([byRule, winner]));
      for (const timing of Object.values(timings)) expect(timing).toHaveProperty("milliseconds");
    }
    expect(parse((await cli("tune", "--list", "--only", "no such", "--json")).stdout).problems).toEqual([]);
    expect(parse((await tune("--list", "--json")).stdout).problems).toEqual(all.problems);
  }, 180_000);

  it("measures nothing twice, and shows what was asked for in a table", async () => {
    const { code, stdout, stderr } = await tune();
    expect(code).toBe(0);
    expect(stderr).toMatch(/3 of 3 problems were measured before\n$/);
    expect(stdout).toMatch(/^problem +by rule +ms +runs +ms +ratio\nmatmul 2x120x32 nt +\w+ /);
    expect(hide(stdout)).toMatch(/3 problems measured, \w+ to run .*; kept in FOLDER.cache.activemixup.tuning.NAME/);
    expect((await cli("doctor")).stdout).toMatch(/tuned: +3 problems measured, \w+ to run .*, \d{4}-\d\d-\d\d \(/);
  });

  it("has the other commands run the winners, which say so", async () => {
    const [name] = readdirSync(kept);
    const file = join(kept, name);
    const tuning = JSON.parse(readFileSync(file, "utf8")) as { problems: Measured[] };
    const [key] = tuning.problems.map((measured) => measured.key).filter((name) => name.startsWith("matmul 2x120x"));
    const { byRule, timings } = tuning.problems.find((measured) => measured.key === key)!;
    const other = Object.keys(timings).find((variant) => variant !== byRule)!;
    const changed = tuning.problems.map((measured) => ({
      ...measured,
      timings: Object.fromEntries(
        Object.keys(measured.timings).map((variant) => {
          const wins = variant === (measured.key === key ? other : measured.byRule);
          return [variant, { milliseconds: [wins ? 1 : 2] }];
        }),
      ),
    }));
    writeFileSync(file, JSON.stringify({ ...tuning, problems: changed }));
    writeDigits(folder.folder("digits"), 4, 2);
    const train = () =>
      cli(
        "train",
        ...["--data", `${folder.folder("digits")}:train`, "--model", "lenet5-half", "--epochs", "1", "--batch", "2"],
        ...["--out", join(folder.root, "student.safetensors"), "--json"],
      );
    const { code, stdout, stderr } = await train();
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/^device: WebGPU.*, 1 tuned variant\n/);
    expect(JSON.parse(stdout)).toMatchObject({ device: { kind: "webgpu", tuned: { [key]: other } } });

    for (const [choice, tuned] of [["webgpu", { [key]: other }] as const, ["cpu", {}] as const]) {
      // Of the profile that was tuned: the commands'.
      const device = await openDevice(choice, { profile: "fast", tuned: rememberedVariants });
      expect(device.capabilities.tuned).toEqual(tuned);
      device.destroy();
    }

    writeFileSync(file, readFileSync(file, "utf8").slice(0, -100));
    const untuned = await train();
    expect(untuned.code).toBe(0);
    expect(hide(untuned.stderr)).toMatch(
      /^warning: FOLDER.*NAME.json is damaged, or of another release; the kernels run as if not tuned: `activemixup tune` /,
    );
    expect(JSON.parse(untuned.stdout)).not.toHaveProperty("device.tuned");
    expect(hide((await cli("doctor")).stdout)).toMatch(/tuned: +no: FOLDER.*NAME.json is damaged/);
  });

  it("forgets everything where it is asked to", async () => {
    mkdirSync(kept, { recursive: true });
    writeFileSync(join(kept, "of-another-device.json"), "");
    const { code, stdout } = await cli("tune", "--clear");
    expect([code, hide(stdout)]).toEqual([0, `${hide(kept)} is removed\n`]);
    expect(existsSync(kept)).toBe(false);
    expect(existsSync(join(cache, "activemixup"))).toBe(true);
    expect((await cli("tune", "--clear", "--json")).code).toBe(0);
  });
});

describe("tune's mistakes", () => {
  it.each([
    ["--device", "cpu"],
    ["--model", "lenet"],
    ["--model", "vgg16", "--image", "1x8x8"],
    ["--image", "28x28"],
    ["--image", "1x28x0"],
    ["--batch", "64,0"],
    ["--scoring-batch", "many"],
    ["--all", "--model", "lenet5"],
    ["--only", "pool"],
    ["--list", "--clear"],
  ])("%s %s", async (...more) => {
    const { code, stdout, stderr } = await cli("tune", "--quiet", ...more);
    expect(stdout).toBe("");
    expect(stderr).toMatchSnapshot();
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(code).toBe(2);
    expect(existsSync(kept)).toBe(false);
  });

  it("are one line where the measurements cannot be kept", async () => {
    writeFileSync(join(folder.root, "file"), "");
    process.env.XDG_CACHE_HOME = join(folder.root, "file");
    const { code, stderr } = await tune("--quiet");
    process.env.XDG_CACHE_HOME = cache;
    expect(hide(stderr)).toMatch(
      /^error: FOLDER.file.activemixup.tuning.NAME.json cannot be written \(ENOTDIR\); set XDG_CACHE_HOME to [^\n]+\n$/,
    );
    expect(code).toBe(2);
  });
});

describe("what was measured, in words", () => {
  const measured = (key: string, timings: Measured["timings"]): Measured => ({
    key,
    byRule: "tiled",
    date: "",
    timings,
  });
  const problems = [
    measured("matmul 1x2x3 nn", { tiled: { milliseconds: [3, 2, 9] }, register: { milliseconds: [1.5] } }),
    measured("matmul 64x64x64 nn", {
      tiled: { milliseconds: [0.01234] },
      register: { failure: "1 of 2 values are wrong" },
    }),
    measured("matmul 7x7x7 nn", { tiled: { failure: "no answer within 30 s" }, register: { milliseconds: [1234.5] } }),
    measured("matmul 8x8x8 nn", { tiled: { failure: "no answer within 30 s" } }),
  ];

  it("is a table with reasons below it", () => {
    expect(describeMeasured(problems)).toMatchInlineSnapshot(`
      "problem             by rule      ms      runs      ms  ratio
      matmul 1x2x3 nn       tiled    3.00  register    1.50  2.00×
      matmul 64x64x64 nn    tiled  0.0123     tiled  0.0123  1.00×
      matmul 7x7x7 nn       tiled  failed  register    1235      –
      matmul 8x8x8 nn       tiled  failed     tiled  failed      –
      out: matmul 64x64x64 nn, register: 1 of 2 values are wrong
      out: matmul 7x7x7 nn, tiled: no answer within 30 s
      out: matmul 8x8x8 nn, tiled: no answer within 30 s"
    `);
  });

  it("is a sentence", () => {
    expect(summariseMeasured(problems)).toBe("4 problems measured, 2 to run another variant than the rule's");
    expect(summariseMeasured(problems.slice(1, 2))).toBe(
      "1 problem measured, none to run another variant than the rule's",
    );
  });
});
