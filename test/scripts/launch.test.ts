import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
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
