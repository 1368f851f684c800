import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { RunConfig } from "../../cli/distill/config.js";
import type { Summary } from "../../cli/distill/summary.js";
import { decodeNetwork } from "../../src/nn/index.js";
import { CpuDevice } from "../../src/tensor/index.js";
import { temporaryFolder } from "../data/fixtures.js";
import { cli, writeDigits } from "./cli.js";

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder.root, ...names);
const teacher = at("teacher.safetensors");
const digits = folder.root;

const distill = (out: string, ...more: string[]) =>
  cli(
    "distill",
    ...["--images", `${digits}:train`, ...(more.includes("--teacher") ? [] : ["--teacher", teacher])],
    ...["--student", "lenet5-half", "--n", "20", "--budget", "50", "--rounds", "2", "--steps", "5", "--batch", "8"],
    // Reports have tests of their own, and one run here.
    ...["--device", "cpu", "--out", at(out), ...(out === "run" ? [] : ["--no-report"]), ...more],
  );

beforeAll(async () => {
  writeDigits(digits, 80, 30);
  const { code, stderr } = await cli(
    "train",
    ...["--data", `${digits}:train`, "--model", "lenet5", "--epochs", "2", "--device", "cpu", "--out", teacher],
  );
  expect(code, stderr).toBe(0);
  folder.folder("folder.safetensors");
  writeFileSync(at("http.json"), JSON.stringify({ http: { headers: { accept: "text/plain" } } }));
  writeFileSync(at("classes.json"), JSON.stringify({ classes: 3 }));
});

/** A message without what differs from machine to machine. */
function anonymous(message: string): string {
  return message.replaceAll(folder.root, "FOLDER").replaceAll(/sha256:[0-9a-f]{12}/g, "sha256:DIGEST");
}

function configOf(run: string): RunConfig {
  return JSON.parse(readFileSync(at(run, "config.json"), "utf8")) as RunConfig;
}

describe("distill", () => {
  it("writes a folder that tells the whole run", async () => {
    const { code, stdout, stderr } = await distill("run", "--test", `${digits}:test`, "--json", "--seed", "3");
    expect(code, stderr).toBe(0);
    const names = ["checkpoint.safetensors", "config.json", "ledger", "queries.jsonl", "rounds.jsonl", "run.lock"];
    names.push("report.html", "student.safetensors", "summary.json");
    names.sort();
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
    expect(summary.student.accuracy).toBe(summary.rounds[2].test!.accuracy);
    expect(summary.student.agreement).toBe(summary.rounds[2].test!.agreement);
    expect(summary.evaluationQueries).toBe(30);
    expect(summary.rounds.map(({ queries }) => queries)).toEqual([20, 35, 50]);
    expect(lines("rounds.jsonl")).toEqual(summary.rounds);
    const queries = lines("queries.jsonl");
    expect(queries).toHaveLength(50);
    for (const { label } of queries) expect((label as number[]).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 4);
    const { options, method, chosen, heldOut, teachers } = configOf("run");
    expect(options).toMatchObject({ n: 20, budget: 50, strategy: "confidence", seed: 3 });
    expect(method).toMatchObject({ budget: 50, reserve: 0 });
    expect([chosen.length, heldOut.length]).toEqual([20, 0]);
    expect(teachers[0].name).toMatch(/^teacher\.safetensors sha256:[0-9a-f]{12}$/);
    expect(teachers[0].answers).toBe("probabilities, as they are");
    expect(summary).toMatchObject({ stopped: "plan", keptRound: 2, teachers: [{ spent: 50, answered: 50, lost: 0 }] });
  });

  it("scores blends in 8 bits with --exact-blends", async () => {
    const { stdout } = await distill("exact", "--json", "--exact-blends");
    expect((JSON.parse(stdout) as Summary).blendAt).toBe("pixels");
    expect(configOf("exact").method.blendAt).toBe("pixels");
  });

  it("gives the same student from the same seed", async () => {
    await distill("same-1");
    await distill("same-2");
    const student = (run: string) => readFileSync(at(run, "student.safetensors"));
    expect(student("same-1").equals(student("same-2"))).toBe(true);
  });

  it("starts a student elsewhere than a teacher of the same network and seed started", async () => {
    const started = at("started.safetensors");
    const barely = ["--rate", "1e-9", "--seed", "5"];
    const training = ["--data", `${digits}:train`, "--model", "lenet5-half", "--epochs", "1", "--device", "cpu"];
    await cli("train", ...training, "--out", started, ...barely);
    await distill("elsewhere", "--teacher", started, ...barely);
    const weights = async (file: string) => {
      const device = new CpuDevice();
      const state = await decodeNetwork(readFileSync(file), file, device).state();
      device.destroy();
      return state.get("conv1.weight")!.data;
    };
    const other = await weights(at("elsewhere", "student.safetensors"));
    const distances = (await weights(started)).map((value, at) => Math.abs(value - other[at]));
    // Of 75 weights from ±0.2, some come near one another by chance.
    expect(distances.filter((distance) => distance < 0.01).length).toBeLessThan(20);
  });

  it("holds some of the images out where there is no test set, and keeps the best round's student", async () => {
    const { stdout, stderr } = await distill("held-out", "--json", "--holdout", "0.25");
    const summary = JSON.parse(stdout) as Summary;
    expect(summary).toMatchObject({ evaluationQueries: 0, queries: 50, holdout: { images: 5 } });
    expect(summary.student).toEqual({ architecture: "lenet5-half" });
    const scores = summary.rounds.map(({ holdout }) => holdout!.agreement.value);
    expect(scores[summary.keptRound!]).toBe(Math.max(...scores));
    expect(stderr).toMatch(/round 0: 20 queries, loss [\d.]+, held-out agreement [\d.]+% \([\d.]+ to [\d.]+\)/);
    const { chosen, heldOut } = configOf("held-out");
    expect([chosen.length, heldOut.length]).toEqual([15, 5]);
    expect(new Set([...chosen, ...heldOut]).size).toBe(20);
  });

  it("shares a ledger: what another run paid for costs nothing", async () => {
    const first = JSON.parse((await distill("shared-1", "--ledger", at("shared"), "--json")).stdout) as Summary;
    expect(first.teachers[0]).toMatchObject({ answered: 50, spent: 50 });
    const { stdout } = await distill("shared-2", "--ledger", at("shared"), "--budget", "60", "--json");
    const second = JSON.parse(stdout) as Summary;
    expect(second.queries).toBe(60);
    expect(second.teachers[0].answered).toBeLessThanOrEqual(40); // the real images at least are known
    const student = (run: string) => readFileSync(at(run, "student.safetensors"));
    await distill("shared-3", "--budget", "60");
    expect(student("shared-2").equals(student("shared-3"))).toBe(true);
  });

  it("says of a finished run that it is, again and again, and does not touch it", async () => {
    const { stdout } = await distill("finished", "--json");
    const times = () => readdirSync(at("finished")).map((name) => [name, statSync(at("finished", name)).mtimeMs]);
    const before = times().filter(([name]) => name !== "run.lock" && name !== "rounds.jsonl");
    const again = await cli("distill", "--resume", at("finished"), "--json");
    expect(again.code).toBe(0);
    expect(again.stdout).toBe(stdout);
    expect(again.stderr).toBe("the run is finished: there is nothing left to do\n");
    expect(times()).toEqual(expect.arrayContaining(before));
  });

  it("leaves nothing behind where its ledger cannot be opened", async () => {
    writeFileSync(at("no-ledger"), "letters");
    const { code, stderr } = await distill("unopened", "--ledger", at("no-ledger"), "--quiet");
    expect(code).toBe(2);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(existsSync(at("unopened"))).toBe(false);
  });

  it("asks several teachers", async () => {
    const other = at("other.safetensors");
    await cli(
      "train",
      ...["--data", `${digits}:train`, "--model", "lenet5-half", "--epochs", "1", "--device", "cpu", "--out", other],
    );
    const { stdout, code } = await distill("several", "--teacher", teacher, "--teacher", other, "--json");
    expect(code).toBe(0);
    const { teachers } = JSON.parse(stdout) as Summary;
    expect(teachers).toMatchObject([{ spent: 50 }, { spent: 50 }]);
    expect(readdirSync(at("several", "ledger")).filter((name) => name.endsWith(".ledger"))).toHaveLength(2);
  });

  it("can start from a student file", async () => {
    const { code } = await distill("from-file", "--student", teacher);
    expect(code).toBe(0);
  });

  it("keeps the rounds that are done on Ctrl-C", async () => {
    const running = distill("stopped", "--steps", "150", "--rounds", "4", "--json");
    while (!existsSync(at("stopped", "summary.json"))) await new Promise((resolve) => setTimeout(resolve, 20));
    process.emit("SIGINT");
    const { code, stdout } = await running;
    expect(code).toBe(130);
    const summary = JSON.parse(stdout) as Summary;
    expect(summary.interrupted).toBe(true);
    expect(summary.rounds.length).toBeGreaterThanOrEqual(1);
    expect(JSON.parse(readFileSync(at("stopped", "summary.json"), "utf8"))).toEqual(summary);
    expect(existsSync(at("stopped", "student.safetensors"))).toBe(true);

    // It goes on as if nothing had been.
    const resumed = await cli("distill", "--resume", at("stopped"), "--device", "cpu", "--json");
    expect(resumed.code, resumed.stderr).toBe(0);
    await distill("not-stopped", "--steps", "150", "--rounds", "4");
    const student = (run: string) => readFileSync(at(run, "student.safetensors"));
    expect(student("stopped").equals(student("not-stopped"))).toBe(true);
    expect(JSON.parse(resumed.stdout)).toMatchObject({ interrupted: false, stopped: "plan", queries: 50 });
    const read = (run: string, name: string) => readFileSync(at(run, name), "utf8");
    expect(read("stopped", "queries.jsonl")).toBe(read("not-stopped", "queries.jsonl"));
  });

  it("goes on with a run that was begun before there were candidates and warps", async () => {
    await distill("older");
    const student = () => readFileSync(at("older", "student.safetensors"));
    const before = student();
    const since = ["candidates", "candidateWarps", "augment", "augmentShare"];
    const known = (name: string, value: unknown) => (since.includes(name) ? undefined : value);
    writeFileSync(at("older", "config.json"), JSON.stringify(configOf("older"), known));
    // As if it had been killed in its first round.
    for (const name of ["summary.json", "checkpoint.safetensors", "student.safetensors"]) rmSync(at("older", name));
    // On the device on which it began, which is the CPU, without its being named.
    const { code, stderr } = await cli("distill", "--resume", at("older"), "--quiet");
    expect(code, stderr).toBe(0);
    expect(student().equals(before)).toBe(true);
  });
});

describe("distill's mistakes", () => {
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
    ["a folder for a teacher's file", ["--teacher", at("folder.safetensors")]],
    ["settings of another kind of teacher", ["--teacher-config", at("http.json")]],
    ["settings that contradict the teacher", ["--teacher-config", at("classes.json")]],
    ["a λ outside [0, 1]", ["--lambdas", "0.3,1.3"]],
    ["a share of no warps", ["--augment-share", "0.5"]],
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
    expect(anonymous(wrongSize.stderr)).toMatchInlineSnapshot(`
      "error: the teacher teacher.safetensors sha256:DIGEST takes images of 1 × 12 × 12; these are 1 × 16 × 16: give images of the teacher's size (image files: --size 12x12 --channels 1)
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
      "error: --out FOLDER/twice holds a run already; go on with it by --resume FOLDER/twice, or give a new folder
      "
    `);
  });

  it("names what is missing, and what --resume does not go with", async () => {
    const { code, stderr } = await cli("distill", "--images", digits, "--quiet");
    expect(stderr).toMatchInlineSnapshot(`
      "error: required option --teacher is missing; \`distill --help\` lists all
      "
    `);
    expect(code).toBe(2);
    const both = await cli("distill", "--resume", at("twice"), "--n", "100", "--quiet");
    expect(both.stderr.replaceAll(folder.root, "FOLDER")).toMatchInlineSnapshot(`
      "error: --n is given together with --resume, which goes on as FOLDER/twice/config.json says; drop --n
      "
    `);
    const none = await cli("distill", "--resume", at("nowhere"), "--quiet");
    expect(none.stderr.replaceAll(folder.root, "FOLDER")).toMatchInlineSnapshot(`
      "error: --resume FOLDER/nowhere is no run's folder: config.json cannot be read (ENOENT); give the --out of a run
      "
    `);
  });

  it("does not go on without its ledger, which knows what was spent", async () => {
    await distill("forgetful", "--rounds", "0", "--budget", "20");
    rmSync(at("forgetful", "ledger"), { recursive: true });
    rmSync(at("forgetful", "summary.json")); // as if it had been killed behind the round
    const { code, stderr } = await cli("distill", "--resume", at("forgetful"), "--device", "cpu", "--quiet");
    expect(anonymous(stderr).replace(/-[0-9a-f-]*\.ledger/, "-HASH.ledger")).toMatchInlineSnapshot(`
      "error: the ledger FOLDER/forgetful/ledger/teacher-safetensors-sha256-HASH.ledger of this run cannot be found (ENOENT); put it back: what the run spent stands there
      "
    `);
    expect(code).toBe(2);
    expect(existsSync(at("forgetful", "ledger"))).toBe(false);
  });

  it("says where the student may not be the same to the last bit", async () => {
    await distill("moved");
    const config = readFileSync(at("moved", "config.json"), "utf8");
    const said = async (change: Record<string, unknown>) => {
      rmSync(at("moved", "summary.json"), { force: true });
      writeFileSync(at("moved", "config.json"), JSON.stringify({ ...(JSON.parse(config) as object), ...change }));
      const { code, stderr } = await cli("distill", "--resume", at("moved"), "--device", "cpu");
      expect(code, stderr).toBe(0);
      return stderr.split("\n").filter((line) => line.startsWith("warning:"));
    };
    expect(await said({})).toEqual([]);
    const end = "the student may differ in the last bits";
    expect(await said({ version: "0.0.0", student: "0" })).toEqual([
      expect.stringMatching(`^warning: the run began with version 0\\.0\\.0, and this is .+: ${end}$`),
    ]);
    expect(await said({ device: { kind: "cpu", adapter: "another" } })).toEqual([
      `warning: the run began on another device: ${end}`,
    ]);
  });

  it("does not go on with other images, another teacher, or a damaged folder", async () => {
    await distill("changed");
    rmSync(at("changed", "summary.json")); // as if it had been killed before it said that it is finished
    const config = readFileSync(at("changed", "config.json"), "utf8");
    const resume = async () => {
      const { stderr, code } = await cli("distill", "--resume", at("changed"), "--device", "cpu", "--quiet");
      expect(code).toBe(2);
      return anonymous(stderr);
    };
    const change = (text: string, other: string) => {
      expect(config).toContain(text);
      writeFileSync(at("changed", "config.json"), config.replace(text, other));
    };
    for (const damaged of ["garbage", "null"]) {
      writeFileSync(at("changed", "summary.json"), damaged);
      expect(await resume()).toMatch(/^error: FOLDER\/changed\/summary\.json .+\n$/);
    }
    rmSync(at("changed", "summary.json"));
    change(`"pixels": "`, `"pixels": "0`);
    expect(await resume()).toMatchInlineSnapshot(`
      "error: --images FOLDER:train holds other images than when the run began; put those back
      "
    `);
    change(configOf("changed").student, "0");
    expect(await resume()).toMatchInlineSnapshot(`
      "error: --student lenet5-half is not what it was when the run began; put that one back, or begin anew
      "
    `);
    writeFileSync(at("changed", "config.json"), config);
    change(`"name": "teacher`, `"name": "former`);
    expect(await resume()).toMatchInlineSnapshot(`
      "error: --teacher FOLDER/teacher.safetensors is now teacher.safetensors sha256:DIGEST, and was former.safetensors sha256:DIGEST when the run began; put that one back, or begin anew
      "
    `);
    change(`"run": `, `"walk": `);
    expect(await resume()).toMatchInlineSnapshot(`
      "error: FOLDER/changed/config.json: run: Invalid input: expected string, received undefined; put back the file that the run wrote, or begin anew
      "
    `);
    change(config, "{");
    expect(await resume()).toMatchInlineSnapshot(`
      "error: FOLDER/changed/config.json is not JSON; put back the file that the run wrote, or begin anew
      "
    `);
    writeFileSync(at("changed", "config.json"), config);
    const queries = readFileSync(at("changed", "queries.jsonl"), "utf8");
    writeFileSync(at("changed", "queries.jsonl"), queries.slice(1));
    const found = queries.length - 1;
    expect((await resume()).replace(`${found} bytes`, "N bytes").replace(`${found + 1}`, "N + 1"))
      .toMatchInlineSnapshot(`
      "error: FOLDER/changed/queries.jsonl has N bytes; expected at least N + 1, the answers of the finished rounds: put the whole file back, or begin anew with --ledger FOLDER/changed/ledger, which costs no query twice
      "
    `);
    writeFileSync(at("changed", "queries.jsonl"), `x${queries.slice(1)}`);
    expect(await resume()).toMatchInlineSnapshot(`
      "error: FOLDER/changed/queries.jsonl: line 1 is damaged; put back the file that the run wrote, or begin anew
      "
    `);
  });
});
