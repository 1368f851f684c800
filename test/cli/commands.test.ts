import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Summary } from "../../cli/commands/distill.js";
import { decodeSafetensors } from "../../src/nn/index.js";
import { temporaryFolder } from "../data/fixtures.js";
import { cli, writeDigits } from "./cli.js";

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder.root, ...names);
const teacher = at("teacher.safetensors");
const digits = folder.root;

const distill = (out: string, ...more: string[]) =>
  cli(
    "distill",
    ...["--images", `${digits}:train`, "--teacher", teacher, "--student", "lenet5-half"],
    ...["--n", "20", "--budget", "50", "--rounds", "2", "--steps", "5", "--batch", "8", "--device", "cpu"],
    ...["--out", at(out), ...more],
  );

beforeAll(async () => {
  writeDigits(digits, 80, 30);
  const { code, stderr } = await cli(
    "train",
    ...["--data", `${digits}:train`, "--model", "lenet5", "--epochs", "2", "--device", "cpu", "--out", teacher],
  );
  expect(code, stderr).toBe(0);
});

describe("train", () => {
  it("writes the network and says how good it is", async () => {
    const { code, stdout, stderr } = await cli(
      "train",
      ...["--data", `${digits}:train`, "--test", `${digits}:test`, "--model", "lenet5-half", "--epochs", "1"],
      ...["--device", "cpu", "--out", at("half.safetensors"), "--json"],
    );
    expect(code).toBe(0);
    expect(stderr).toMatch(/^device: CPU reference/);
    const result = JSON.parse(stdout) as { accuracy: number; interrupted: boolean; device: { kind: string } };
    expect(result).toMatchObject({ model: "lenet5-half", epochs: 1, images: 80, interrupted: false });
    expect(result.accuracy).toBeGreaterThanOrEqual(0);
    expect(result.device.kind).toBe("cpu");
    const { metadata } = decodeSafetensors(readFileSync(at("half.safetensors")), "half");
    expect(metadata.architecture).toBe("lenet5-half");
  });

  it("ends cleanly on Ctrl-C and keeps what is done", async () => {
    const running = cli(
      "train",
      ...["--data", `${digits}:train`, "--model", "lenet5", "--epochs", "100000", "--device", "cpu"],
      ...["--out", at("stopped.safetensors"), "--json"],
    );
    setTimeout(() => process.emit("SIGINT"), 1000);
    const { code, stdout } = await running;
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ interrupted: true });
    expect(decodeSafetensors(readFileSync(at("stopped.safetensors")), "stopped").tensors.size).toBe(10);
  });
});

describe("train's mistakes", () => {
  const attempt = (...more: string[]) =>
    cli("train", ...["--data", `${digits}:train`, "--model", "lenet5", "--device", "cpu", "--quiet", ...more]);

  it("do not touch a file that is there when it is stopped before the first pass is done", async () => {
    writeFileSync(at("kept.safetensors"), "kept");
    setTimeout(() => process.emit("SIGINT"), 0);
    const { code, stdout } = await attempt(
      "--epochs",
      "1000",
      "--batch",
      "1",
      "--out",
      at("kept.safetensors"),
      "--json",
    );
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ interrupted: true });
    expect(readFileSync(at("kept.safetensors"), "utf8")).toBe("kept");
  });

  it("are found before anything is written", async () => {
    for (const more of [
      ["--crop", "12"],
      ["--crop", "1.5"],
      ["--epochs", "4000000000"],
      ["--test", `${digits}:train`],
      ["--data", at("nowhere")],
    ]) {
      const { code, stderr } = await attempt("--out", at("new", "x.safetensors"), ...more);
      expect(stderr.replaceAll(folder.root, "FOLDER")).toMatchSnapshot();
      expect(code).toBe(2);
      expect(existsSync(at("new", "x.safetensors"))).toBe(false);
    }
  });
});

describe("distill", () => {
  it("writes a folder that tells the whole run", async () => {
    const { code, stdout, stderr } = await distill("run", "--test", `${digits}:test`, "--json", "--seed", "3");
    expect(code, stderr).toBe(0);
    const names = ["config.json", "queries.jsonl", "rounds.jsonl", "student.safetensors", "summary.json"];
    expect(readdirSync(at("run")).sort()).toEqual(names);
    const lines = (name: string) =>
      readFileSync(at("run", name), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    const summary = JSON.parse(readFileSync(at("run", "summary.json"), "utf8")) as Summary;
    expect(JSON.parse(stdout)).toEqual(summary);
    expect(summary).toMatchObject({
      seed: 3,
      n: 20,
      strategy: "confidence",
      blendAt: "features",
      queries: 50,
      budget: 50,
      interrupted: false,
    });
    expect(summary.device.kind).toBe("cpu");
    expect(summary.teacher.accuracy).toBeGreaterThan(0);
    expect(summary.student.accuracy).toBe(summary.rounds[2].student!.accuracy);
    expect(summary.student.agreement).toBe(summary.rounds[2].student!.agreement);
    expect(summary.evaluationQueries).toBe(30);
    expect(summary.rounds.map(({ queries }) => queries)).toEqual([20, 35, 50]);
    expect(lines("rounds.jsonl")).toEqual(summary.rounds);
    const queries = lines("queries.jsonl");
    expect(queries).toHaveLength(50);
    for (const { label } of queries) expect((label as number[]).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 4);
    const config = JSON.parse(readFileSync(at("run", "config.json"), "utf8")) as Record<string, unknown>;
    expect(config).toMatchObject({ n: 20, budget: 50, strategy: "confidence", seed: 3 });
    expect(config.chosen).toHaveLength(20);
  });

  it("scores blends in 8 bits with --exact-blends", async () => {
    const { stdout } = await distill("exact", "--json", "--exact-blends");
    expect((JSON.parse(stdout) as Summary).blendAt).toBe("pixels");
    const config = JSON.parse(readFileSync(at("exact", "config.json"), "utf8")) as Record<string, unknown>;
    expect(config).toMatchObject({ exactBlends: true, blendAt: "pixels" });
  });

  it("gives the same student from the same seed", async () => {
    await distill("same-1");
    await distill("same-2");
    const student = (run: string) => readFileSync(at(run, "student.safetensors"));
    expect(student("same-1").equals(student("same-2"))).toBe(true);
  });

  it("measures agreement on held-out images where there is no test set", async () => {
    const { stdout } = await distill("held-out", "--json", "--holdout", "25");
    const summary = JSON.parse(stdout) as Summary;
    expect(summary).toMatchObject({ evaluationQueries: 25, queries: 50 });
    expect(summary.student.agreement).toBeGreaterThanOrEqual(0);
    expect(summary.student.accuracy).toBeUndefined();
  });

  it("can start from a student file", async () => {
    const { code } = await distill("from-file", "--student", teacher);
    expect(code).toBe(0);
  });

  it("keeps the rounds that are done on Ctrl-C", async () => {
    const running = distill("stopped", "--steps", "400", "--rounds", "20", "--json");
    while (!existsSync(at("stopped", "summary.json"))) await new Promise((resolve) => setTimeout(resolve, 20));
    process.emit("SIGINT");
    const { code, stdout } = await running;
    expect(code).toBe(130);
    const summary = JSON.parse(stdout) as Summary;
    expect(summary.interrupted).toBe(true);
    expect(summary.rounds.length).toBeGreaterThanOrEqual(1);
    expect(JSON.parse(readFileSync(at("stopped", "summary.json"), "utf8"))).toEqual(summary);
    expect(existsSync(at("stopped", "student.safetensors"))).toBe(true);
  });
});

describe("evaluate", () => {
  it("gives accuracy, and agreement with a teacher", async () => {
    const { code, stdout } = await cli(
      "evaluate",
      ...["--model", teacher, "--teacher", teacher, "--data", `${digits}:test`, "--device", "cpu", "--json"],
    );
    expect(code).toBe(0);
    const result = JSON.parse(stdout) as {
      agreement: number;
      model: { accuracy: number };
      teacher: { accuracy: number };
    };
    expect(result.agreement).toBe(1);
    expect(result.model.accuracy).toBe(result.teacher.accuracy);
  });
});

describe("doctor", () => {
  it("names the adapter and the device that is used", async () => {
    const { code, stdout } = await cli("doctor", "--json");
    expect(code).toBe(0);
    const { adapter, used } = JSON.parse(stdout) as { adapter: { info: { driver: string } }; used: string };
    expect(adapter.info.driver).not.toBe("");
    // Runs leave Dawn's safety net out, unless they are asked not to.
    expect(stdout).toContain('"skip_validation"');
    expect((await cli("doctor", "--json", "--profile", "safe")).stdout).not.toContain('"skip_validation"');
    expect(used).toBe("webgpu");
    const lines = (await cli("doctor", "--device", "cpu")).stdout;
    expect(lines).toContain(adapter.info.driver);
    expect(lines).toMatch(/matrices: +of subgroups: (none|\d+×\d+×\d+), as /);
    expect(lines).toMatch(/used: +CPU reference, because --device cpu asks for it/);
  });
});

describe("mistakes", () => {
  it.each<[string, string[]]>([
    ["a missing data set", ["--images", at("nowhere")]],
    ["n larger than the set", ["--n", "81", "--budget", "100"]],
    ["a budget smaller than n", ["--budget", "19"]],
    ["a budget that the pool cannot fill", ["--budget", "500"]],
    ["a strategy that is none", ["--strategy", "best"]],
    ["a student that is none", ["--student", "lenet"]],
    ["a student that cannot take the images", ["--student", "vgg16"]],
    ["a teacher that is no network", ["--teacher", join(digits, "train-images-idx3-ubyte")]],
    ["a missing teacher", ["--teacher", at("no.safetensors")]],
    ["a λ outside [0, 1]", ["--lambdas", "0.3,1.3"]],
    ["a number that is none", ["--budget", "many"]],
    ["an optimizer that is none", ["--optimizer", "lion"]],
    ["an unknown option", ["--budgets", "3"]],
  ])("%s: one line, exit code 2, nothing written", async (_what, more) => {
    const { code, stdout, stderr } = await distill("mistake", ...more, "--quiet");
    expect(stdout).toBe("");
    expect(stderr.replaceAll(folder.root, "FOLDER")).toMatchSnapshot();
    expect(stderr.trim().split("\n").length).toBeLessThanOrEqual(more[0] === "--budgets" ? 2 : 1);
    expect(code).toBe(2);
    expect(existsSync(at("mistake"))).toBe(false);
  });

  it("says when images, teacher and student do not fit together", async () => {
    writeDigits(folder.folder("large"), 30, 10, 16);
    const wrongSize = await distill("mistake", "--images", `${folder.folder("large")}:train`, "--quiet");
    expect(wrongSize.stderr.replaceAll(folder.root, "FOLDER")).toMatchInlineSnapshot(`
      "error: the teacher FOLDER/teacher.safetensors takes images of 1 × 12 × 12; these are 1 × 16 × 16: give images of the teacher's size
      "
    `);
    expect(wrongSize.code).toBe(2);
    const test = await distill("mistake", "--test", `${folder.folder("large")}:test`, "--quiet");
    expect(test.stderr.replaceAll(folder.root, "FOLDER")).toMatchInlineSnapshot(`
      "error: FOLDER/large:test holds images of 1 × 16 × 16; FOLDER:train of 1 × 12 × 12: give test images of the same size
      "
    `);
    expect(test.code).toBe(2);
    const file = await distill(
      "mistake",
      "--images",
      `${folder.folder("large")}:train`,
      "--student",
      teacher,
      "--quiet",
    );
    expect(file.code).toBe(2);
    expect(existsSync(at("mistake"))).toBe(false);
  });

  it("does not overwrite a run", async () => {
    await distill("twice");
    const { code, stderr } = await distill("twice", "--quiet");
    expect(code).toBe(2);
    expect(stderr.replaceAll(folder.root, "FOLDER")).toMatchInlineSnapshot(`
      "error: --out FOLDER/twice is not empty (it holds config.json); give a new folder, or remove it first
      "
    `);
  });

  it("does not begin to train what it cannot write", async () => {
    writeFileSync(at("file"), "");
    const { code, stderr } = await cli(
      "train",
      ...["--data", digits, "--model", "lenet5", "--quiet", "--out", at("file", "teacher.safetensors")],
    );
    expect(code).toBe(2);
    expect(stderr).toContain("cannot be written");
  });

  it("suggests the command that was meant", async () => {
    const { code, stderr } = await cli("distil");
    expect(code).toBe(2);
    expect(stderr).toContain("Did you mean distill?");
  });
});

describe("help", () => {
  it.each([[], ["demo"], ["train"], ["distill"], ["evaluate"], ["serve"], ["tune"], ["doctor"]])(
    "of %s",
    async (...command) => {
      const { code, stdout } = await cli(...command, "--help");
      expect(code).toBe(0);
      expect(stdout).toMatchSnapshot();
    },
  );

  it("and the version", async () => {
    expect((await cli("--version")).stdout).toBe("0.1.0\n");
    expect((await cli("demo", "--version")).stdout).toBe("0.1.0\n");
  });
});
