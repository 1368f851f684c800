import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { FileStore } from "../../src/activemixup/ledger/file-store.node.js";
import { verifyLedger } from "../../src/activemixup/ledger/read-ledger.node.js";
import { bundleChild } from "../child.js";
import { temporaryFolder } from "../data/fixtures.js";

const TEACHER = "somebody's";
const folder = temporaryFolder();
const children = new Set<ChildProcess>();
let script: string;

beforeAll(async () => {
  script = await bundleChild("test/activemixup/append.child.ts", folder.root);
});

afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
});

/** Runs a command to its end and gives the whole lines of its output. */
async function linesOf(command: string, args: readonly string[], onStart?: (child: ChildProcess) => void) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  children.add(child);
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    if (text === "") onStart?.(child);
    text += chunk;
  });
  await once(child, "close");
  children.delete(child);
  return { lines: text.split("\n").slice(0, -1), code: child.exitCode };
}

const numbers = (lines: readonly string[], kind: string) =>
  lines.filter((line) => line.startsWith(`${kind} `)).map((line) => Number(line.slice(kind.length + 1)));
const queryOf = (ask: number, index: number) => (ask * 1000 + index).toString(16).padStart(64, "0");

it("holds all that was acknowledged, whenever its writer is killed", async () => {
  const path = join(folder.root, "killed.ledger");
  const outcomes = new Set<number>();
  const asks = new Set<number>();
  let acknowledged = 0;
  for (let kill = 0; kill < 20; kill++) {
    const { lines, code } = await linesOf(process.execPath, [script, path, TEACHER, "4", "3"], (child) => {
      // From its first word on, so that it dies while it writes.
      setTimeout(() => child.kill("SIGKILL"), Math.random() * 60);
    });
    expect(code).toBeNull();
    expect(lines.filter((line) => /Error/.test(line))).toEqual([]);
    for (const ask of numbers(lines, "ask")) asks.add(ask);
    for (const ask of numbers(lines, "outcome")) outcomes.add(ask);
    const { damage, answers, runs } = await verifyLedger(path);
    expect(damage).toEqual([]);
    for (const ask of outcomes) {
      for (const index of [0, 1, 2]) expect(answers.get(queryOf(ask, index))?.[ask % 10]).toBe(1);
    }
    const [{ requests, asked, answered, lost }] = [...runs, { requests: 0, asked: 0, answered: 0, lost: 0 }];
    expect(requests).toBeGreaterThanOrEqual(asks.size);
    expect(answered).toBe(answers.size);
    // What was under way at a kill: at most four requests each time.
    expect(lost).toBeLessThanOrEqual((kill + 1) * 4 * 3);
    expect(asked).toBe(answered + lost);
    acknowledged = outcomes.size;
  }
  expect(acknowledged).toBeGreaterThan(20);
});

it("says in one line that the disk is full, keeps what it has, and goes on when there is room", async () => {
  const path = join(folder.root, "full.ledger");
  // The kernel lets no file grow beyond 24 KiB; as on a full disk, the last write that fits is cut short.
  const limited = await linesOf("bash", [
    ...["-c", 'ulimit -f 24 && exec "$0" "$@"', process.execPath],
    ...[script, path, TEACHER, "4", "8"],
  ]);
  expect(limited.code).toBe(2);
  const errors = limited.lines.filter((line) => line.includes("Error"));
  expect(errors).toEqual([
    `InputError the ledger ${path} cannot be written (EFBIG: file too large); what was kept before is safe: make room on ` +
      "the disk or mend it, then go on from what is kept (distill --resume)",
  ]);
  expect(limited.lines.at(-1)).toBe("the same again");
  expect(readFileSync(path)).toHaveLength(24 * 1024);
  const before = await verifyLedger(path);
  expect(before.damage).toEqual([]);
  expect(before.torn).toBeGreaterThan(0);
  const outcomes = numbers(limited.lines, "outcome");
  expect(outcomes.length).toBeGreaterThan(5);
  for (const ask of outcomes) expect(before.answers.has(queryOf(ask, 7))).toBe(true);

  const done = Math.max(...numbers(limited.lines, "ask")) + 10;
  const free = await linesOf(process.execPath, [script, path, TEACHER, "4", "8", String(done)]);
  expect(free.lines[0]).toBe(`notice ${path}: cut off ${before.torn} bytes of a last line that was not written whole`);
  expect(free.code).toBe(0);
  const after = await verifyLedger(path);
  expect(after).toMatchObject({ damage: [], torn: 0 });
  for (const ask of [...outcomes, ...numbers(free.lines, "outcome")]) {
    expect(after.answers.has(queryOf(ask, 7))).toBe(true);
  }
});

it("is not made where there is no room for its beginning", async () => {
  const path = join(folder.root, "no-room.ledger");
  const { lines, code } = await linesOf("bash", [
    ...["-c", 'ulimit -f 0 && exec "$0" "$@"', process.execPath],
    ...[script, path, TEACHER, "1", "1"],
  ]);
  expect({ lines, code }).toEqual({
    lines: [
      `InputError ${path}.lock cannot be locked (EFBIG: file too large); give a place where you may write, with room, on ` +
        "a file system that has locks",
    ],
    code: 2,
  });
  expect(existsSync(path)).toBe(false);
});

it("refuses a second writer at once, and gives way when the first is killed", async () => {
  const path = join(folder.root, "shared.ledger");
  let opened!: Promise<FileStore>;
  const { lines } = await linesOf(process.execPath, [script, path, TEACHER, "1", "1"], (child) => {
    opened = FileStore.open(path, TEACHER);
    void opened.catch(() => undefined).then(() => child.kill("SIGKILL"));
  });
  expect(lines[0]).toBe("open");
  await expect(opened).rejects.toThrow(/^the ledger \S+ is in use by process \d+ on \S+, since \S+; wait until that/);
  await (await FileStore.open(path, TEACHER)).close();
});
