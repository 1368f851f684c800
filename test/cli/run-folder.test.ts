import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeCheckpoint, encodeCheckpoint, formatAnswers, parseAnswers } from "../../cli/checkpoint-file.js";
import { linesOf } from "../../cli/files.js";
import { RunFolder } from "../../cli/run-folder.js";
import { specFor, type AnsweredQuery, type Checkpoint, type RoundReport } from "../../src/activemixup/index.js";
import { Stopwatch } from "../../src/activemixup/stopwatch.js";
import { drawDigits } from "../../src/data/index.js";
import { Network, type NetworkSpec } from "../../src/nn/index.js";
import { CpuDevice } from "../../src/tensor/index.js";
import { temporaryFolder } from "../data/fixtures.js";

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder.root, ...names);

const round: RoundReport = {
  ...{ round: 0, asked: 0, queries: 0, unanswered: 0, skipped: 0, steps: 1, loss: 1 },
  seconds: new Stopwatch().seconds,
};

async function checkpoint(): Promise<{ checkpoint: Checkpoint; spec: NetworkSpec }> {
  const network = new Network(new CpuDevice(), specFor("lenet5-half", drawDigits(1, 1, { size: 12 }), 10), 0);
  const student = await network.state();
  network.dispose();
  return { checkpoint: { rounds: [round], answers: [], leftOut: [], student }, spec: network.spec };
}

describe("a checkpoint's file", () => {
  it("holds the student, the best, and the others of a committee", async () => {
    const { checkpoint: state } = await checkpoint();
    const shifted = (by: number) =>
      new Map(
        [...state.student].map(([name, { shape, data }]) => [
          name,
          { dtype: "F32", shape, data: data.map((x) => x + by) },
        ]),
      );
    const alone = { rounds: state.rounds, leftOut: [3], student: shifted(0) };
    const whole = { ...alone, best: shifted(1), committee: [shifted(2), shifted(3)] };
    for (const some of [alone, { ...alone, best: shifted(4) }, whole]) {
      const decoded = decodeCheckpoint(encodeCheckpoint({ answers: [], ...some }, 5), "file");
      expect(decoded).toEqual({ state: some, answersEnd: 5 });
    }
  });
});

describe("answers' lines", () => {
  const answer = (label: Float32Array, round = 0): AnsweredQuery => ({
    round,
    first: 1,
    second: 2,
    lambda: 0.5,
    label,
  });
  const textOf = (answers: readonly AnsweredQuery[]) => [...formatAnswers(answers)].join("");
  const parse = (text: string) => {
    const lines = text.split("\n").slice(0, -1);
    return parseAnswers(Readable.from(lines), "file");
  };

  it("give back each f32 to the bit, in numbers that are no longer than that takes", async () => {
    const numbers = fc.float32Array({ noNaN: true, noDefaultInfinity: true, minLength: 1 });
    await fc.assert(
      fc.asyncProperty(fc.array(numbers), async (labels) => {
        const answers = labels.map((label, index) =>
          answer(
            label.map((x) => x + 0),
            index,
          ),
        );
        expect(await parse(textOf(answers))).toEqual(answers);
      }),
    );
    expect(textOf([answer(Float32Array.of(0.1, 1 / 3))])).toContain('"label":[0.100000001,0.333333343]');
  });

  it("are written in parts: all of them may be more than a string holds", () => {
    const answers = Array.from({ length: 1000 }, (_, index) => answer(Float32Array.of(index / 1000)));
    const lines = [...formatAnswers(answers)].map((part) => part.split("\n").length - 1);
    expect(lines.reduce((a, b) => a + b)).toBe(1000);
    expect(Math.max(...lines)).toBeLessThan(300);
    expect([...formatAnswers([])]).toEqual([]);
  });

  it("are read one by one, wherever the parts of the file end, and the damaged is named by its number", async () => {
    const answers = Array.from({ length: 3000 }, (_, index) => answer(Float32Array.of(index / 3000, 0.5), index));
    const text = textOf(answers);
    writeFileSync(at("answers.jsonl"), text);
    // More than a stream reads at once.
    expect(text.length).toBeGreaterThan(2 ** 16);
    const read = (length: number) => parseAnswers(linesOf(at("answers.jsonl"), length), "file");
    expect(await read(text.length)).toEqual(answers);
    expect(await read(text.indexOf("\n") + 1)).toEqual(answers.slice(0, 1));
    expect(await read(text.indexOf("\n"))).toEqual([]);
    await expect(parse(text.replace('"round":1,', '"round":-1,'))).rejects.toThrow("file: line 2 is damaged");
  });
});

describe("RunFolder", () => {
  it("names the cure that loses nothing where it cannot write", async () => {
    const run = await RunFolder.create(at("full"));
    mkdirSync(at("full", "summary.json"));
    await expect(run.writeSummary({})).rejects.toThrow(
      `${at("full", "summary.json")} cannot be written (EISDIR); make room there, then go on with ` +
        `\`activemixup distill --resume ${at("full")}\``,
    );
    await run.close();
  });

  it("has nothing of an unfinished round in it once it is resumed, whatever that left", async () => {
    const { checkpoint: state, spec } = await checkpoint();
    const answers = (round: number): AnsweredQuery[] =>
      [0.25, 0.5].map((p) => ({ round, first: 0, second: 0, lambda: 1, label: Float32Array.of(p, 1 - p) }));
    const rounds = [0, 1].map((number) => ({ ...round, round: number, seconds: { ...round.seconds, train: number } }));
    const states = [
      { ...state, rounds: rounds.slice(0, 1), answers: answers(0) },
      { ...state, rounds, answers: [...answers(0), ...answers(1)] },
    ];
    const run = await RunFolder.create(at("torn"));
    await run.writeConfig({ some: 1 });
    await run.finishRound(rounds[0], states[0], spec);
    await run.close();
    const read = (name: string) => readFileSync(at("torn", name), "utf8");
    const before = [read("queries.jsonl"), read("rounds.jsonl")];
    // A round's answers and report that were on the disk before its checkpoint was.
    appendFileSync(at("torn", "queries.jsonl"), [...formatAnswers(answers(1))].join("") + '{"round":');
    appendFileSync(at("torn", "rounds.jsonl"), `${JSON.stringify(rounds[1])}\n`);
    const resumed = await RunFolder.resume(at("torn"));
    const had = (at: number) => ({ rounds: states[at].rounds, answers: states[at].answers });
    expect(resumed).toMatchObject({ config: { some: 1 }, checkpoint: had(0) });
    expect([read("queries.jsonl"), read("rounds.jsonl")]).toEqual(before);
    await resumed.folder.finishRound(rounds[1], states[1], spec);
    await resumed.folder.close();
    expect(read("queries.jsonl")).toBe([...formatAnswers(states[1].answers)].join(""));
    expect(read("rounds.jsonl")).toBe(rounds.map((one) => `${JSON.stringify(one)}\n`).join(""));
    const again = await RunFolder.resume(at("torn"));
    expect(again.checkpoint).toMatchObject(had(1));
    await again.folder.close();
    truncateSync(at("torn", "queries.jsonl"), 20);
    await expect(RunFolder.resume(at("torn"))).rejects.toThrow("queries.jsonl has 20 bytes; expected at least");
  });

  it("is closed without a word where it is gone", async () => {
    const run = await RunFolder.create(at("gone"));
    await run.writeConfig({});
    rmSync(at("gone"), { recursive: true });
    await run.close();
    expect(existsSync(at("gone"))).toBe(false);
  });

  it("has a round's student on the disk before the round counts as finished", async () => {
    const run = await RunFolder.create(at("killed"));
    const { checkpoint: state, spec } = await checkpoint();
    // The checkpoint cannot be put in its place: as if the run were killed before it was.
    mkdirSync(at("killed", "checkpoint.safetensors", "x"), { recursive: true });
    await expect(run.finishRound(round, state, spec)).rejects.toThrow("checkpoint.safetensors cannot be written");
    expect(existsSync(at("killed", "student.safetensors"))).toBe(true);
    await run.close();
  });
});
