import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeAll, expect, it } from "vitest";
import { lockFile } from "../../src/activemixup/ledger/lock.node.js";
import { bundleChild } from "../child.js";
import { temporaryFolder } from "../data/fixtures.js";

const folder = temporaryFolder();
const path = join(folder.root, "lock");
const children: ChildProcess[] = [];
let script: string;

beforeAll(async () => {
  script = await bundleChild("test/activemixup/hold.child.ts", folder.root);
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
});

/** A process that tries to lock the file; gives what it says, line by line. */
function contender() {
  const child = spawn(process.execPath, [script, path], { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, says: async () => (await lines.next()).value as string };
}

it("is had by one process at a time, which the other learns", async () => {
  const first = contender();
  expect(await first.says()).toBe("held");
  const { pid } = JSON.parse(readFileSync(path, "utf8")) as { pid: number };
  expect(pid).toBe(first.child.pid);
  const refusal = await contender().says();
  expect(refusal).toMatch(/^LockedError the place is in use by process \d+ on \S+, since 20\S+Z; wait until/);
  expect(refusal).toContain(`process ${first.child.pid} on`);
  await expect(lockFile(path, "x")).rejects.toThrow(`x is in use by process ${first.child.pid} on`);
  first.child.stdin.write("\n");
  expect(await first.says()).toBe("released");
  expect(await contender().says()).toBe("held");
});

it("is free at once when its holder is killed", async () => {
  const first = contender();
  expect(await first.says()).toBe("held");
  const ended = once(first.child, "exit");
  first.child.kill("SIGKILL");
  await ended;
  const lock = await lockFile(path, "x");
  expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ pid: process.pid });
  await lock.release();
});

it("of several that try at once, exactly one gets it", async () => {
  const all = Array.from({ length: 4 }, contender);
  const said = await Promise.all(all.map(({ says }) => says()));
  expect(said.filter((line) => line === "held")).toHaveLength(1);
  expect(said.filter((line) => line.startsWith("LockedError the place is in use by "))).toHaveLength(3);
});

it("does not mind a file that was left over, whatever it holds", async () => {
  writeFileSync(path, `{"pid":${process.pid},"host":"here","started":"before"}\nand more than a lock would write`);
  const lock = await lockFile(path, "x");
  expect(readFileSync(path, "utf8")).toMatch(/^\{"pid":\d+,"host":"[^"]*","started":"[^"]*"\}\n$/);
  await expect(lockFile(path, "x")).rejects.toThrow(`x is in use by process ${process.pid} on`);
  await lock.release();
});

it("says where it cannot be made", async () => {
  const nowhere = join(folder.root, "nowhere", "lock");
  await expect(lockFile(nowhere, "x")).rejects.toThrow(
    `${nowhere} cannot be locked (ENOENT: no such file or directory); give a place where you may write, with room, on a file`,
  );
});
