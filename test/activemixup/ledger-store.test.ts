import * as fc from "fast-check";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { expect, it, vi } from "vitest";
import { MemoryStore, type LedgerEvent } from "../../src/activemixup/index.js";
import { FileStore, ledgerFile } from "../../src/activemixup/ledger/file-store.node.js";
import { readLedger, verifyLedger } from "../../src/activemixup/ledger/read-ledger.node.js";
import { repairLedger } from "../../src/activemixup/ledger/repair-ledger.node.js";
import { InputError } from "../../src/errors.js";
import { temporaryFolder } from "../data/fixtures.js";
import { appends, queryAt } from "./ledger-events.js";

const TEACHER = "somebody's teacher";
const folder = temporaryFolder();
let files = 0;
const newPath = () => join(folder.root, `${files++}`, "x.ledger");

function asked(ask: number, count = 1, run = "r"): LedgerEvent {
  return { kind: "ask", ask, run, count };
}

function answered(ask: number, queries: readonly number[], failed = 0, classes = 2): LedgerEvent {
  const answers = queries.map((query) => ({
    query: queryAt(query),
    probabilities: new Float32Array(classes).fill(1 / classes),
  }));
  return { kind: "outcome", ask, answers, failed };
}

/** A closed ledger of three requests, an event a line: requests in lines 2, 4 and 6, outcomes behind them. */
async function writeThree(path = newPath()): Promise<string> {
  const store = await FileStore.open(path, TEACHER);
  for (const ask of [1, 2, 3]) {
    await store.append([asked(ask)]);
    await store.append([answered(ask, [ask])]);
  }
  await store.close();
  return path;
}

function damageLine(path: string, line: number): void {
  const lines = readFileSync(path, "utf8").split("\n");
  lines[line - 1] = lines[line - 1].replace("kind", "kinf");
  writeFileSync(path, lines.join("\n"));
}

it("holds after opening again what a store in memory holds", async () => {
  await fc.assert(
    fc.asyncProperty(appends, fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }), async (lists, reopen) => {
      const path = newPath();
      const memory = new MemoryStore(TEACHER);
      let store = await FileStore.open(path, TEACHER);
      const pending: Promise<void>[] = [];
      for (const [index, events] of lists.entries()) {
        await memory.append(events);
        pending.push(store.append(events));
        if (!reopen[index]) continue;
        await Promise.all(pending);
        await store.close();
        store = await FileStore.open(path, TEACHER);
      }
      await store.close();
      await Promise.all(pending);
      const again = await FileStore.open(path, TEACHER);
      for (let query = 0; query < 50; query++) {
        const [a, b] = [memory.find(queryAt(query)), again.find(queryAt(query))];
        expect(b && new Uint32Array(b.buffer)).toEqual(a && new Uint32Array(a.buffer));
      }
      for (const run of ["first", "second", 'a "run"\nof two lines', "\ud800"]) {
        expect(again.spending(run)).toEqual(memory.spending(run));
        for (const event of lists.flat()) {
          if (event.kind === "skip") expect(again.isSkipped(run, event.query)).toBe(event.run === run);
        }
      }
      const asks = lists.flat().flatMap((event) => (event.kind === "ask" ? [event.ask] : []));
      expect(again.nextAsk()).toBe(Math.max(0, ...asks) + 1);
      await again.close();
    }),
    { numRuns: 25 },
  );
});

it("joins appends that come together into one line, and shows answers once they are on the disk", async () => {
  const path = newPath();
  const store = await FileStore.open(path, TEACHER);
  await Promise.all([1, 2, 3].map((ask) => store.append([asked(ask)])));
  expect(readFileSync(path, "utf8").split("\n")).toHaveLength(3);
  const written = store.append([answered(1, [7])]);
  expect(store.find(queryAt(7))).toBeUndefined();
  await written;
  expect(store.find(queryAt(7))).toEqual(Float32Array.of(0.5, 0.5));
  expect((await readLedger(path)).answers.size).toBe(1);
  await store.close();
  await expect(store.append([asked(9)])).rejects.toThrow(`${path} is closed`);
});

it("writes what waits before it closes", async () => {
  const path = newPath();
  const store = await FileStore.open(path, TEACHER);
  const pending = [1, 2, 3].map((ask) => store.append([asked(ask)]));
  await Promise.all([store.close(), store.close()]);
  await Promise.all(pending);
  expect((await readLedger(path)).runs).toEqual([{ run: "r", requests: 3, asked: 3, answered: 0, failed: 0, lost: 3 }]);
});

it("refuses events that cannot follow, and everything after them", async () => {
  const path = newPath();
  const store = await FileStore.open(path, TEACHER);
  await store.append([asked(1)]);
  await expect(store.append([answered(2, [1])])).rejects.toThrow("an outcome of request 2, which is not open");
  await expect(store.append([answered(1, [1])])).rejects.toThrow("an outcome of request 2, which is not open");
  await store.close();
  expect((await readLedger(path)).lines).toBe(2);
});

it("is one file a teacher, in a folder that is made", () => {
  expect(basename(ledgerFile("ledger", "http://127.0.0.1:80/v1"))).toBe("http-127-0-0-1-80-v1-db5bb06c.ledger");
  expect(ledgerFile("ledger", "a").slice(0, -16)).not.toBe(ledgerFile("ledger", "A"));
  expect(new Set(["a", "A", "a ", "ä", "", "日本"].map((name) => ledgerFile("x", name))).size).toBe(6);
  expect(basename(ledgerFile("ledger", "日本"))).toMatch(/^teacher-[0-9a-f]{8}\.ledger$/);
  expect(basename(ledgerFile("ledger", "x".repeat(1000))).length).toBeLessThan(64);
});

it("leaves nothing but the ledger and its lock", async () => {
  const path = await writeThree();
  expect(readdirSync(dirname(path))).toEqual(["x.ledger", "x.ledger.lock"]);
});

it("refuses a second opener, by any name of the file, until it is closed", async () => {
  const path = await writeThree();
  const other = join(dirname(path), "other.ledger");
  symlinkSync(path, other);
  const store = await FileStore.open(path, TEACHER);
  for (const name of [path, other]) {
    await expect(FileStore.open(name, TEACHER)).rejects.toThrow(
      `the ledger ${name} is in use by process ${process.pid} on `,
    );
    await expect(repairLedger(name)).rejects.toThrow(`the ledger ${name} is in use by process`);
  }
  await store.close();
  await (await FileStore.open(other, TEACHER)).close();
});

it("refuses the ledger of another teacher, another number of classes, and what is no ledger", async () => {
  const path = await writeThree();
  await expect(FileStore.open(path, "Bob")).rejects.toThrow(
    `${path} is the ledger of the teacher "somebody's teacher"; expected "Bob": give each teacher a file of its own`,
  );
  await expect(FileStore.open(path, TEACHER, { classes: 10 })).rejects.toThrow(
    `${path} holds answers of 2 classes and the teacher somebody's teacher has 10; give the teacher another name, or`,
  );
  const store = await FileStore.open(path, TEACHER, { classes: 2 });
  await store.append([asked(4)]);
  await expect(store.append([answered(4, [4], 0, 3)])).rejects.toThrow("has 3 probabilities; expected 2");
  await store.close();
  const text = folder.write("names.csv", "name,score\na,1\n");
  await expect(FileStore.open(text, TEACHER)).rejects.toThrow(`${text} is no ledger: it does not begin`);
  expect(readFileSync(text, "utf8")).toBe("name,score\na,1\n");
  mkdirSync(join(folder.root, "a folder"));
  for (const [bad, why] of [
    [join(folder.root, "a folder"), "EISDIR"],
    [join(text, "x.ledger"), "EEXIST"],
  ]) {
    const error: unknown = await FileStore.open(bad, TEACHER).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toContain(why);
  }
  await expect(readLedger(join(folder.root, "none.ledger"))).rejects.toThrow(
    /none\.ledger cannot be read \(ENOENT: no such file or directory\); give the path of a ledger$/,
  );
});

it("cuts off a torn end, says so, and goes on", async () => {
  const path = await writeThree();
  const whole = readFileSync(path);
  const ends = [Buffer.from("half a line"), Buffer.alloc(5000, "longer than the next line")];
  for (const torn of [
    whole.subarray(0, -1),
    ...ends.map((end) => Buffer.concat([whole, end])),
    whole.subarray(0, 10),
  ]) {
    writeFileSync(path, torn);
    const onNotice = vi.fn();
    const before = await readLedger(path);
    const store = await FileStore.open(path, TEACHER, { onNotice });
    if (torn.length > 10) {
      expect(onNotice.mock.calls).toEqual([
        [`${path}: cut off ${before.torn} bytes of a last line that was not written whole`],
      ]);
    }
    const ask = store.nextAsk();
    await store.append([asked(ask), answered(ask, [99])]);
    await store.close();
    const after = await verifyLedger(path);
    expect(after).toMatchObject({ damage: [], torn: 0, lines: Math.max(before.lines, 1) + 1, teacher: TEACHER });
    expect(after.answers.size).toBe(before.answers.size + 1);
  }
});

it("refuses a damaged file with its place, and leaves it as it is", async () => {
  const path = await writeThree();
  damageLine(path, 3);
  const bytes = readFileSync(path);
  const open = FileStore.open(path, TEACHER);
  await expect(open).rejects.toBeInstanceOf(InputError);
  await expect(open).rejects.toThrow(
    /x\.ledger is damaged in line 3 \(from byte 119\): its checksum is \w{8}; expected \w{8}, that of its text; put a/,
  );
  await expect(readLedger(path)).rejects.toThrow("is damaged in line 3");
  expect(readFileSync(path)).toEqual(bytes);
  const { damage, answers, lines } = await verifyLedger(path);
  expect(damage.map(({ line, offset }) => [line, offset])).toEqual([[3, 119]]);
  expect([...answers.keys()]).toEqual([queryAt(2), queryAt(3)]);
  expect(lines).toBe(6);
});

it("is sound again after a repair, with every answer of a sound line", async () => {
  const path = await writeThree();
  expect(await repairLedger(path)).toBeUndefined();
  damageLine(path, 3);
  damageLine(path, 4);
  const bytes = readFileSync(path);
  const { aside, damage, answers } = (await repairLedger(path))!;
  expect(damage.map(({ line }) => line)).toEqual([3, 4]);
  expect(answers).toBe(2);
  expect(readFileSync(aside)).toEqual(bytes);
  const after = await verifyLedger(path);
  expect(after).toMatchObject({ damage: [], torn: 0, teacher: TEACHER, classes: 2 });
  expect([...after.answers.keys()]).toEqual([queryAt(3), queryAt(2)]);
  expect(after.runs).toEqual([
    { run: "r", requests: 2, asked: 2, answered: 1, failed: 0, lost: 1 },
    { run: "(unknown: its line was damaged)", requests: 1, asked: 1, answered: 1, failed: 0, lost: 0 },
  ]);
  await (await FileStore.open(path, TEACHER)).close();
  expect(readdirSync(dirname(path)).sort()).toEqual(["x.ledger", basename(aside), "x.ledger.lock"].sort());
});

it("needs the teacher's name for a repair of its header", async () => {
  const path = await writeThree();
  writeFileSync(path, readFileSync(path, "utf8").replace("teacher", "tweaker"));
  const bytes = readFileSync(path);
  await expect(repairLedger(path)).rejects.toThrow(/header is damaged, and with it the teacher's name; give it by/);
  expect(readFileSync(path)).toEqual(bytes);
  expect(readdirSync(dirname(path))).toEqual(["x.ledger", "x.ledger.lock"]);
  expect(await repairLedger(path, TEACHER)).toMatchObject({ answers: 3 });
  expect(await verifyLedger(path)).toMatchObject({ damage: [], teacher: TEACHER, lines: 7 });
});

it("reads lines longer than its chunks, and files of any length", async () => {
  const path = newPath();
  const store = await FileStore.open(path, TEACHER);
  for (const ask of [1, 2, 3]) {
    await store.append([asked(ask, 200)]);
    await store.append([
      answered(
        ask,
        Array.from({ length: 200 }, (_, i) => ask * 1000 + i),
        0,
        1000,
      ),
    ]);
  }
  await store.close();
  const { answers, bytes, lines } = await readLedger(path);
  expect(answers.size).toBe(600);
  expect(lines).toBe(7);
  expect(bytes).toBeGreaterThan(3e6);
  for (const length of [bytes - 1, 1 << 20, (1 << 20) + 1]) {
    truncateSync(path, length);
    const { bytes, torn } = await readLedger(path);
    expect(bytes + torn).toBe(length);
    expect(existsSync(path)).toBe(true);
    writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.alloc(1e6)]));
  }
});
