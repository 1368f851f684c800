import { spawnSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../data/fixtures.js";
import { cli, writeDigits } from "./cli.js";

const CHILD = fileURLToPath(new URL("../activemixup/teacher/exec-child.mjs", import.meta.url));
const folder = temporaryFolder();
const at = (...names: string[]) => join(folder.root, ...names);

beforeAll(() => {
  writeDigits(folder.root, 30, 10);
});

/** A teacher's command; the folder's name stands in its line. */
const teacher = (name: string, hello: object = {}) =>
  `exec:"${process.execPath}" "${CHILD}" '${JSON.stringify({ name, ...hello })}' '{}' "${at(`requests-${name}`)}"`;

/** Running processes of these teachers. */
function running(): string[] {
  const { stdout } = spawnSync("ps", ["-eo", "args"], { encoding: "utf8" });
  return stdout.split("\n").filter((line) => line.includes(at("requests-")));
}

const distill = (out: string, ...more: string[]) =>
  cli(
    "distill",
    ...["--images", `${folder.root}:train`, "--n", "10", "--budget", "20", "--rounds", "1", "--steps", "2"],
    ...["--student", "lenet5-half", "--batch", "4", "--pool", "30", "--device", "cpu", "--no-report"],
    ...["--out", at(out), ...more],
  );

describe("a run that a command teaches", () => {
  it("leaves no process, nor a ledger that is locked, however it ends", async () => {
    const shared = ["--ledger", at("answers")];
    const [a, b] = ["a", "b"].map((name) => ["--teacher", teacher(name)]);
    const done = await distill("done", ...a, ...b, ...shared);
    expect(done.code, done.stderr).toBe(0);
    expect(running()).toEqual([]);

    const refused = await distill("refused", ...a, "--budget", "5");
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("--budget is 5")]);
    const differ = await distill("refused", ...a, "--teacher", teacher("c", { classes: 3 }));
    expect(differ.code).toBe(2);
    expect(running()).toEqual([]);

    const stopping = distill("stopped", "--teacher", teacher("slow"), "--steps", "1000000");
    const ready = () => readdirSync(folder.root).includes("requests-slow");
    await expect.poll(ready, { timeout: 20_000 }).toBe(true);
    process.emit("SIGINT");
    expect((await stopping).code).toBe(130);
    expect(running()).toEqual([]);

    // The second teacher's ledger is damaged: the first one's is let go.
    const ledgers = readdirSync(at("answers")).filter((name) => name.endsWith(".ledger"));
    writeFileSync(
      at(
        "answers",
        ledgers.find((name) => name.startsWith("exec-b"))!,
      ),
      "damaged",
    );
    const damaged = await distill("damaged", ...a, ...b, ...shared);
    expect([damaged.code, damaged.stderr]).toEqual([2, expect.stringContaining("exec-b")]);
    const alone = await distill("alone", ...a, ...shared);
    expect(alone.code, alone.stderr).toBe(0);
    expect(running()).toEqual([]);
  }, 60_000);
});
