import { spawnSync } from "node:child_process";
import { closeSync, copyFileSync, openSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { bundleChild } from "../child.js";
import { pngOf, temporaryFolder } from "../data/fixtures.js";
import { writeDigits } from "./cli.js";

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder.root, ...names);
const model = at("model.safetensors");
let script: string;

/** Runs the command as a process of which one output refuses all that is written, as on a full disk. */
function command(refusing: "stdout" | "stderr", ...args: string[]) {
  // Open for reading alone.
  const refuses = openSync(script, "r");
  const stdio = ["ignore", ...["stdout", "stderr"].map((name) => (name === refusing ? refuses : "pipe"))];
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    stdio: stdio as ("ignore" | "pipe" | number)[],
    encoding: "utf8",
  });
  closeSync(refuses);
  return { status, stdout, stderr };
}

beforeAll(async () => {
  script = await bundleChild("cli/main.ts", folder.root);
  copyFileSync("package.json", at("package.json")); // the version stands there
  writeDigits(folder.root, 20, 1);
});

const full =
  "error: the result on stdout cannot be written (EBADF); see that the disk has room, or send it elsewhere\n";

it("work goes on where its progress cannot be written", () => {
  const words = ["--data", `${folder.root}:train`, "--model", "lenet5-half", "--epochs", "2", "--device", "cpu"];
  const { status, stdout } = command("stderr", "train", ...words, "--out", model, "--json");
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ epochs: 2, out: model });
});

it("a result that cannot be written is told of in one line, however long it is", () => {
  const image = folder.write(`${"long/".repeat(20)}image.png`, pngOf(12, 12, 0, new Uint8Array(144)));
  const words = ["predict", "--model", model, "--device", "cpu", "--quiet"];
  for (const count of [1, 600]) {
    const { status, stderr } = command("stdout", ...words, ...new Array<string>(count).fill(image));
    expect([status, stderr]).toEqual([2, full]);
  }
  expect(command("stdout", "--version")).toMatchObject({ status: 2, stderr: full });
});
