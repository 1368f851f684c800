import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeStep, listSteps } from "../../scripts/bundle/launch/gpu-report.mjs";
import { chooseEnvironment, exportLines } from "../../scripts/bundle/launch/machine.mjs";

describe("the environment that a machine needs", () => {
  const usual = {
    folder: "/b",
    loader: true,
    gpu: true,
    chosen: false,
    known: ["/etc/vulkan/icd.d/nvidia_icd.json"],
    other: [] as string[],
    glx: true,
    egl: false,
    libraryPath: "",
    hidden: false,
  };
  const drivers = (file: string) => ({ VK_DRIVER_FILES: file, VK_ICD_FILENAMES: file });
  const elsewhere = "/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json";

  test.each<[string, Partial<typeof usual>, Record<string, string>]>([
    ["nothing where all is in its place", {}, {}],
    ["nothing without a GPU", { gpu: false, known: [], glx: false }, {}],
    ["the bundle's loader where there is none", { loader: false }, { LD_LIBRARY_PATH: "/b/lib" }],
    ["before what was there", { loader: false, libraryPath: "/x" }, { LD_LIBRARY_PATH: "/b/lib:/x" }],
    ["a manifest where the loader does not look", { known: [], other: [elsewhere] }, drivers(elsewhere)],
    ["the bundle's manifest where there is none", { known: [] }, drivers("/b/launch/nvidia-glx.json")],
    ["EGL where GLX does not load", { glx: false, egl: true }, drivers("/b/launch/nvidia-egl.json")],
    ["nothing else where drivers were chosen", { chosen: true, known: [], glx: false, egl: true }, {}],
    ["nothing where no library of the driver is there", { known: [], glx: false }, {}],
    [
      "the folder of hidden libraries",
      { known: [], other: [elsewhere], glx: false, hidden: true },
      { LD_LIBRARY_PATH: "/usr/local/nvidia/lib64", ...drivers(elsewhere) },
    ],
  ])("%s", (_, facts, expected) => {
    const { environment, remarks } = chooseEnvironment({ ...usual, ...facts });
    expect(environment).toEqual(expected);
    expect(remarks.length > 0).toBe(Object.keys(expected).length > 0);
  });

  test("reaches a shell as it is", () => {
    const value = `a 'quoted' $HOME \\ "x"`;
    const script = `${exportLines({ VALUE: value })}printf %s "$VALUE"`;
    expect(execFileSync("sh", ["-c", script], { encoding: "utf8" })).toBe(value);
    expect(exportLines({})).toBe("");
  });
});

describe("the report", () => {
  const steps = listSteps({ folder: "/r", full: true, torch: "python3 has no torch" });
  const [, doctor, tests, safe, fast, torch] = steps;
  const ok = { code: 0, seconds: 12.3, timedOut: false };

  test("has its steps in order, each with a file of its own", () => {
    const names = ["machine", "doctor", "tests", "bench-safe", "bench-fast", "torch", "compare"];
    expect(steps.map((step) => step.name)).toEqual(names);
    expect(new Set(steps.map((step) => step.file)).size).toBe(steps.length);
    expect(safe!.command.slice(1)).toEqual(["bench", "--full", "--json", "--profile", "safe"]);
    expect(fast!.command.slice(1)).toEqual(["bench", "--full", "--json", "--profile", "fast"]);
    expect(listSteps({ folder: "/r", full: false })[3]!.command).not.toContain("--full");
  });

  test.each([
    [
      "a GPU",
      doctor,
      ok,
      { adapter: { info: { adapter: "A100", driver: "550", software: false } } },
      "ok",
      "A100, 550",
    ],
    ["no GPU", doctor, ok, { adapter: { info: { adapter: "llvmpipe", software: true } } }, "ok", "SOFTWARE, NOT A GPU"],
    ["no adapter", doctor, ok, { failure: "none" }, "ok", "NO ADAPTER"],
    ["tests", tests, ok, { numPassedTests: 5, numFailedTests: 0 }, "ok", "5 passed, 0 failed"],
    [
      "failed tests",
      tests,
      { ...ok, code: 1 },
      { numPassedTests: 4, numFailedTests: 1 },
      "FAILED",
      "4 passed, 1 failed",
    ],
    ["rows", safe, ok, { rows: [1, 2] }, "ok", "12 s, 2 rows"],
    ["a crash", safe, { ...ok, code: null }, undefined, "FAILED", "ended by a signal, see bench-safe.log"],
    ["a step that hangs", fast, { ...ok, code: null, timedOut: true }, undefined, "FAILED", "after 30 minutes"],
    ["a skipped step", torch, undefined, undefined, "skipped", "python3 has no torch"],
    ["a step after Ctrl-C", fast, undefined, undefined, "not run", "stopped before"],
  ])("tells of %s", (_, step, end, result, state, words) => {
    const line = describeStep(step!, end, result === undefined ? "" : JSON.stringify(result));
    expect(line.slice(12, 19).trim()).toBe(state);
    expect(line).toContain(words);
    expect(line).not.toContain("\n");
  });
});

describe("./run gpu-report", () => {
  const bundle = realpathSync(mkdtempSync(join(tmpdir(), "activemixup-report-test-")));
  const results = join(bundle, "results");

  // Stands in for the bundle's: the tests fail, the fast benchmark ends by a signal, PyTorch is there.
  const run = `#!/bin/sh
case $* in
doctor*) echo '{"adapter":{"info":{"adapter":"A100","driver":"550","software":false}}}'; echo said >&2 ;;
test*) echo '{"numPassedTests":7,"numFailedTests":2}' >"\${6#--outputFile.json=}"; exit 1 ;;
"bench --help") echo "--full" ;;
"bench --full --json --profile safe") echo '{"rows":[1,2,3]}' ;;
bench*) kill -9 $$ ;;
esac
`;

  beforeAll(() => {
    for (const folder of ["launch", "bench/peers", "bin"]) mkdirSync(join(bundle, folder), { recursive: true });
    copyFileSync("scripts/bundle/launch/gpu-report.mjs", join(bundle, "launch/gpu-report.mjs"));
    writeFileSync(join(bundle, "bundle.json"), "{}");
    writeFileSync(join(bundle, "bench/peers/torch_bench.py"), "");
    writeFileSync(join(bundle, "run"), run, { mode: 0o755 });
    writeFileSync(join(bundle, "bin/python3"), `#!/bin/sh\necho '{"median":1}'\n`, { mode: 0o755 });
  });
  afterAll(() => rmSync(bundle, { recursive: true }));

  function report(...words: string[]) {
    const script = join(bundle, "launch/gpu-report.mjs");
    const env = { PATH: `${join(bundle, "bin")}:/usr/bin:/bin` };
    const { status, stderr } = spawnSync(process.execPath, [script, ...words], { encoding: "utf8", cwd: bundle, env });
    return { status, stderr };
  }

  test("does every step whatever becomes of the others, and sums up", () => {
    expect(report("results").status).toBe(1);
    const read = (name: string) => readFileSync(join(results, name), "utf8");
    expect(read("summary.txt").replace(/\d+ s/g, "0 s")).toMatchInlineSnapshot(`
      "machine     ok      0 s
      doctor      ok      0 s, A100, 550
      tests       FAILED  0 s, exit code 1, 7 passed, 2 failed, see tests.log
      bench-safe  ok      0 s, 3 rows
      bench-fast  FAILED  0 s, exit code none: ended by a signal, see bench-fast.log
      torch       ok      0 s, 1 workloads, 0 that it cannot do
      compare     skipped this bundle has no bench/peers/compare.mjs
      "
    `);
    expect(read("doctor.log")).toBe("said\n");
    expect(read("torch.jsonl")).toBe('{"median":1}\n');
    expect(read("bundle.json")).toBe("{}");
  });

  test("keeps results that are there already", () => {
    const { status, stderr } = report("results");
    expect(status).toBe(2);
    expect(stderr).toBe(
      `gpu-report: the folder ${results} cannot take the results: it holds files already; name another one\n`,
    );
  });
});
