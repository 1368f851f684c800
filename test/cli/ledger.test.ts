import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import type { LedgerEvent } from "../../src/activemixup/index.js";
import { FileStore, ledgerFile } from "../../src/activemixup/ledger/file-store.node.js";
import { decodeSafetensors } from "../../src/nn/index.js";
import { temporaryFolder } from "../data/fixtures.js";
import { cli } from "./cli.js";

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder.root, ...names);
const ALICE = "alice's net";
const BOB = "Bob \u001b[31m";
const query = (digit: string) => digit.repeat(64);
const probabilities = [0.125, 0.625, 0.25];

async function write(path: string, teacher: string, events: readonly LedgerEvent[]): Promise<string> {
  const store = await FileStore.open(path, teacher);
  for (const event of events) await store.append([event]);
  await store.close();
  return path;
}

const someEvents: readonly LedgerEvent[] = [
  { kind: "ask", ask: 1, run: "runs/first", count: 3 },
  {
    kind: "outcome",
    ask: 1,
    failed: 1,
    answers: [
      { query: query("a"), probabilities: Float32Array.from(probabilities) },
      { query: query("b"), probabilities: Float32Array.of(0, 0, 1) },
    ],
  },
  { kind: "ask", ask: 2, run: "runs/second", count: 4 },
];

beforeAll(async () => {
  const ledger = at("run", "ledger");
  await write(ledgerFile(ledger, ALICE), ALICE, someEvents);
  await write(ledgerFile(ledger, BOB), BOB, []);
  writeFileSync(at("run", "config.json"), JSON.stringify({ seed: 1 }));
});

/** Without the folder, whose name differs from run to run. */
async function ledger(...args: string[]) {
  const { code, stdout, stderr } = await cli("ledger", ...args);
  const clean = (text: string) => text.replaceAll(folder.root, "FOLDER");
  return { code, stdout: clean(stdout), stderr: clean(stderr) };
}

it("shows teachers and runs of a run's folder, of its ledger's folder, and of a folder that config.json names", async () => {
  const { code, stdout, stderr } = await ledger("show", at("run"));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(`\n${stdout}`).toMatchInlineSnapshot(`
    "
    teacher         classes  answers   size
    alice's net           3        2  426 B
    Bob \\u001b[31m        –        0   59 B

    run of alice's net  asked  answered  failed  lost
    runs/first              3         2       1     0
    runs/second             4         0       0     4

    lost: asked about, and nothing is known of the outcome; of a run that still goes on, it is under way
    "
  `);
  expect((await ledger("show", at("run", "ledger"))).stdout).toBe(stdout);
  mkdirSync(at("other"));
  for (const named of ["run/ledger", at("run", "ledger")]) {
    const config = { startedIn: folder.root, options: { ledger: named, n: 1 } };
    writeFileSync(at("other", "config.json"), JSON.stringify(config));
    expect((await ledger("show", at("other"))).stdout).toBe(stdout);
  }
});

it("lists answers", async () => {
  const file = ledgerFile(at("run", "ledger"), ALICE);
  const { stdout } = await ledger("show", file, "--top", "2");
  expect(stdout).toContain(`\n\nanswers\n${query("a")}  1: 0.6250  2: 0.2500\n${query("b")}  2: 1.0000  0: 0.0000\n`);
  expect((await ledger("show", file, "--answers")).stdout).toContain("  1: 0.6250  2: 0.2500  0: 0.1250\n");
  const { ledgers } = JSON.parse((await ledger("show", file, "--json", "--top", "1")).stdout) as { ledgers: object[] };
  expect(ledgers).toMatchObject([
    {
      file: file.replace(folder.root, "FOLDER"),
      teacher: ALICE,
      classes: 3,
      answers: 2,
      torn: 0,
      runs: [
        { run: "runs/first", requests: 1, asked: 3, answered: 2, failed: 1, lost: 0 },
        { run: "runs/second", requests: 1, asked: 4, answered: 0, failed: 0, lost: 4 },
      ],
      list: [
        { query: query("a"), top: [{ class: 1, probability: 0.625 }] },
        { query: query("b"), top: [{ class: 2, probability: 1 }] },
      ],
    },
  ]);
});

it("verifies: a line a file, 2 and the places where there is damage, sound again after a repair", async () => {
  const path = await write(at("damaged", "x.ledger"), ALICE, someEvents);
  const sound = await ledger("verify", at("damaged"));
  expect(sound).toEqual({
    code: 0,
    stdout: "FOLDER/damaged/x.ledger: sound: 4 lines, 2 requests, 2 answers, 4 images without an outcome\n",
    stderr: "",
  });
  writeFileSync(path, `${readFileSync(path, "utf8")}half a li`);
  expect((await ledger("verify", path)).stdout).toBe(
    sound.stdout.replace("\n", "; 9 bytes of a last line that is not whole, which the next run cuts off\n"),
  );
  writeFileSync(path, readFileSync(path, "utf8").replace("runs/first", "runs/worst"));
  const { code, stdout, stderr } = await ledger("verify", at("damaged"));
  expect(code).toBe(2);
  expect(stdout).toMatch(
    /^FOLDER\/damaged\/x\.ledger: line 2 \(from byte 56\): its checksum is \w{8}; expected \w{8}, that of its text\n$/,
  );
  expect(stderr).toBe(
    "error: FOLDER/damaged/x.ledger: damaged; put a sound copy in its place, or keep the sound lines with " +
      "`activemixup ledger verify FOLDER/damaged --repair`\n",
  );
  const json = await ledger("verify", path, "--json");
  expect(json.code).toBe(2);
  expect(JSON.parse(json.stdout)).toMatchObject({ ledgers: [{ answers: 2, damage: [{ line: 2, offset: 56 }] }] });
  for (const command of [
    ["show", path],
    ["export", path, "--out", at("damaged.jsonl")],
  ]) {
    const refused = await ledger(...command);
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toMatch(/^error: FOLDER\/damaged\/x\.ledger is damaged in line 2 \(from byte 56\): .*\n$/);
  }
  const repaired = await ledger("verify", path, "--repair");
  expect(repaired).toMatchObject({ code: 0, stderr: "" });
  expect(repaired.stdout.split("\n")[1]).toMatch(
    /^FOLDER\/damaged\/x\.ledger: repaired: 3 lines, 2 requests, 2 answers, 4 images without an outcome; the damaged file is FOLDER\/damaged\/x\.ledger\.damaged-\S+Z$/,
  );
  expect((await ledger("verify", at("damaged"))).code).toBe(0);
  expect(readdirSync(at("damaged"))).toHaveLength(3);
});

it("repairs a damaged header by the teacher whose file it is, and by no other's name", async () => {
  const path = await write(ledgerFile(at("headless"), ALICE), ALICE, someEvents);
  const bytes = readFileSync(path);
  bytes[3] ^= 1;
  writeFileSync(path, bytes);
  const wrong = await ledger("verify", path, "--repair", "--teacher", BOB);
  expect([wrong.code, wrong.stdout]).toEqual([2, ""]);
  expect(wrong.stderr).toMatch(
    /: its header is damaged, and by the digest in the file's name it is not of the teacher /,
  );
  expect(readFileSync(path).equals(bytes)).toBe(true);
  expect((await ledger("verify", path, "--repair", "--teacher", ALICE)).code).toBe(0);
  expect((await ledger("verify", path)).stdout).toContain("sound: ");
});

it("exports tensors and JSON lines", async () => {
  const out = at("out", "answers.safetensors");
  const result = await ledger("export", at("run"), "--teacher", ALICE, "--out", out);
  expect(result).toEqual({ code: 0, stdout: "FOLDER/out/answers.safetensors: 2 answers of alice's net\n", stderr: "" });
  const bytes = readFileSync(out);
  const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())).toString()) as object;
  expect(header).toEqual({
    __metadata__: { teacher: ALICE },
    probabilities: { dtype: "F32", shape: [2, 3], data_offsets: [0, 24] },
    queries: { dtype: "U8", shape: [2, 32], data_offsets: [24, 88] },
  });
  const data = bytes.subarray(-88);
  expect(Array.from({ length: 6 }, (_, index) => data.readFloatLE(4 * index))).toEqual([...probabilities, 0, 0, 1]);
  expect(data.subarray(24).toString("hex")).toBe(query("a") + query("b"));
  // Readers of f32 alone refuse it by the type.
  expect(() => decodeSafetensors(bytes, "x")).toThrow('tensor "queries" is of type "U8"');

  const lines = at("out", "answers.jsonl");
  const json = await ledger("export", ledgerFile(at("run", "ledger"), ALICE), "--out", lines, "--json");
  expect(JSON.parse(json.stdout)).toMatchObject({ out: "FOLDER/out/answers.jsonl", teacher: ALICE, answers: 2 });
  expect(readFileSync(lines, "utf8")).toBe(
    `{"query":"${query("a")}","probabilities":[0.125,0.625,0.25],"top":1}\n` +
      `{"query":"${query("b")}","probabilities":[0,0,1],"top":2}\n`,
  );
  expect(readdirSync(at("out")).sort()).toEqual(["answers.jsonl", "answers.safetensors"]);
});

it("refuses in one line what it cannot do, and writes nothing", async () => {
  const out = at("none", "x.jsonl");
  mkdirSync(at("empty"));
  mkdirSync(at("broken"));
  writeFileSync(at("broken", "config.json"), "{");
  mkdirSync(at("odd"));
  writeFileSync(at("odd", "config.json"), '{"options":{"ledger":7}}');
  writeFileSync(at("text.txt"), "hello\nworld\n");
  const refusals: string[] = [];
  for (const args of [
    ["show", at("nowhere")],
    ["show", at("empty")],
    ["show", at("broken")],
    ["show", at("odd")],
    ["show", at("text.txt")],
    ["verify", at("text.txt"), "--repair"],
    ["export", at("run"), "--out", out],
    ["export", at("run"), "--out", out, "--teacher", "Carol"],
    ["export", at("run"), "--out", out, "--teacher", BOB],
    ["export", at("run"), "--out", at("x.csv")],
    ["show", at("run"), "--device", "cpu"],
    ["shwo", at("run")],
  ]) {
    const { code, stdout, stderr } = await ledger(...args);
    expect({ code, stdout }, args.join(" ")).toEqual({ code: 2, stdout: "" });
    refusals.push(stderr);
  }
  expect(readdirSync(folder.root).sort()).not.toContain("none");
  expect(`\n${refusals.join("")}`).toMatchInlineSnapshot(`
    "
    error: FOLDER/nowhere cannot be read (ENOENT); give the folder of a run, a folder of ledgers, or one ledger
    error: FOLDER/empty holds no ledger; give the folder of a run, a folder of ledgers, or a file that ends in .ledger
    error: FOLDER/broken/config.json is not JSON; name the ledger's folder instead of the run's
    error: FOLDER/odd/config.json: options.ledger: Invalid input: expected string, received number; name the ledger's folder instead of the run's
    error: FOLDER/text.txt is no ledger: it does not begin with one's header; name a file that this command wrote
    error: FOLDER/text.txt is no ledger: it does not begin with one's header; name a file that this command wrote
    error: FOLDER/run holds answers of "alice's net" and "Bob \\u001b[31m"; say whose by --teacher
    error: --teacher Carol has no answers in FOLDER/run; expected "alice's net" or "Bob \\u001b[31m"
    error: FOLDER/run/ledger/bob-31m-f1a9594e.ledger holds no answers yet; export it once a run has asked
    error: --out FOLDER/x.csv ends in none of .safetensors, .jsonl; end it in one of them
    error: unknown option '--device'
    error: unknown command 'shwo'
    (Did you mean show?)
    "
  `);
});
