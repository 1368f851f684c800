import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { drawDigits } from "../../src/data/index.js";
import { decodeNetwork, decodeSafetensors, encodeState } from "../../src/nn/index.js";
import { CpuDevice } from "../../src/tensor/index.js";
import { temporaryFolder } from "../data/fixtures.js";
import { cli, writeDigits } from "./cli.js";

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder.root, ...names);
const teacher = at("teacher.safetensors");
const digits = folder.root;

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

  it("of a rate at which it diverges leave a file that is there as it was", async () => {
    writeFileSync(at("kept.safetensors"), "kept");
    const { code, stdout, stderr } = await attempt(
      ...["--rate", "1e30", "--epochs", "3", "--out", at("kept.safetensors"), "--json"],
    );
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toBe("error: the network diverged: its loss is NaN; lower --rate\n");
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

  it("counts what one says as the other does, and what each says as the labels do", async () => {
    const other = at("other.safetensors");
    const trained = await cli(
      "train",
      ...["--data", `${digits}:train`, "--model", "lenet5-half", "--epochs", "12", "--seed", "7"],
      ...["--device", "cpu", "--out", other],
    );
    expect(trained.code, trained.stderr).toBe(0);
    const data = `${digits}:test`;
    const classes = async (model: string) => {
      const { stdout } = await cli("predict", "--model", model, data, "--top", "1", "--device", "cpu", "--json");
      const { predictions } = JSON.parse(stdout) as { predictions: { guesses: { class: number }[] }[] };
      return predictions.map(({ guesses }) => guesses[0].class);
    };
    const [ours, theirs] = [await classes(other), await classes(teacher)];
    const { labels } = drawDigits(30, 2, { size: 12 });
    const share = (a: ArrayLike<number>, b: ArrayLike<number>) =>
      Array.from({ length: 30 }, (_, image) => Number(a[image] === b[image])).reduce((sum, one) => sum + one) / 30;
    const words = ["--model", other, "--teacher", teacher, "--data", data, "--device", "cpu", "--json"];
    const result: unknown = JSON.parse((await cli("evaluate", ...words)).stdout);
    const expected = [share(ours, theirs), share(ours, labels!), share(theirs, labels!)];
    expect(result).toMatchObject({
      ...{ agreement: expected[0], model: { accuracy: expected[1] }, teacher: { accuracy: expected[2] } },
    });
    expect(new Set([...expected, 1]).size).toBeGreaterThan(2);
    expect(expected[0]).toBeLessThan(1);
  });

  it("refuses to compare by number what two call by other names", async () => {
    const other = at("renamed.safetensors");
    const network = decodeNetwork(readFileSync(teacher), teacher, new CpuDevice());
    const state = await network.state();
    const named = (classNames: string[]) => encodeState({ ...network.spec, classNames }, state);
    const names = Array.from({ length: 10 }, (_, index) => `digit ${index}`);
    const own = at("named.safetensors");
    writeFileSync(own, named(names));
    writeFileSync(other, named([...names.slice(0, 8), names[9], names[8]]));
    const { code, stdout, stderr } = await cli(
      ...["evaluate", "--model", own, "--teacher", other, "--data", `${digits}:test`, "--device", "cpu", "--quiet"],
    );
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toBe(
      `error: class 8 is "digit 8" to --model ${own} and "digit 9" to --teacher ${other}; ` +
        "only networks of the same classes in the same order can agree\n",
    );
  });

  it("compares with network files alone", async () => {
    const { code, stderr } = await cli(
      "evaluate",
      ...["--model", teacher, "--teacher", "http://127.0.0.1:9/", "--data", `${digits}:test`, "--quiet"],
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: --teacher of evaluate is a network file; .*distill --test with --ask-test$/m);
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
  it.each([
    [],
    ["demo"],
    ["train"],
    ["distill"],
    ["evaluate"],
    ["predict"],
    ["export"],
    ["import"],
    ["experiment"],
    ["report"],
    ["serve"],
    ["tune"],
    ["doctor"],
    ["data"],
    ["data", "fetch"],
  ])("of %s", async (...command) => {
    const { code, stdout } = await cli(...command, "--help");
    expect(code).toBe(0);
    expect(stdout).toMatchSnapshot();
  });

  it.each(["", "show", "verify", "export"])("of ledger %s", async (command) => {
    const { code, stdout } = await cli("ledger", ...(command ? [command] : []), "--help");
    expect(code).toBe(0);
    expect(stdout).toMatchSnapshot();
  });

  it("and the version", async () => {
    expect((await cli("--version")).stdout).toBe("0.1.0\n");
    expect((await cli("demo", "--version")).stdout).toBe("0.1.0\n");
  });
});
