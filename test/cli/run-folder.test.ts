import { appendFileSync, existsSync, mkdirSync, readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeCheckpoint, encodeCheckpoint, formatAnswers, parseAnswers } from "../../cli/checkpoint-file.js";
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
  const bytesOf = (answers: readonly AnsweredQuery[]) => Buffer.from([...formatAnswers(answers)].join(""));

  it("give back each f32 to the bit, in numbers that are no longer than that takes", () => {
    const numbers = fc.float32Array({ noNaN: true, noDefaultInfinity: true, minLength: 1 });
    fc.assert(
      fc.property(fc.array(numbers), (labels) => {
        const answers = labels.map((label, index) =>
          answer(
            label.map((x) => x + 0),
            index,
          ),
        );
        expect(parseAnswers(bytesOf(answers), "file")).toEqual(answers);
      }),
    );
    expect(bytesOf([answer(Float32Array.of(0.1, 1 / 3))]).toString()).toContain('"label":[0.100000001,0.333333343]');
  });

  it("are written in parts: all of them may be more than a string holds", () => {
    const answers = Array.from({ length: 1000 }, (_, index) => answer(Float32Array.of(index / 1000)));
    const lines = [...formatAnswers(answers)].map((part) => part.split("\n").length - 1);
    expect(lines.reduce((a, b) => a + b)).toBe(1000);
    expect(Math.max(...lines)).toBeLessThan(300);
    expect([...formatAnswers([])]).toEqual([]);
  });

  it("are read until the last that is whole, and the damaged is named by its number", () => {
    const answers = [answer(Float32Array.of(0.25)), answer(Float32Array.of(0.75))];
    const bytes = bytesOf(answers);
    expect(parseAnswers(bytes.subarray(0, bytes.length - 1), "file")).toEqual(answers.slice(0, 1));
    bytes[bytes.indexOf(10) + 1] = 0x7a;
    expect(() => parseAnswers(bytes, "file")).toThrow("file: line 2 is damaged");
  });
});

describe("RunFolder", () => {
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
    expect(parseAnswers(readFileSync(at("torn", "queries.jsonl")), "file")).toEqual(states[1].answers);
    expect(read("rounds.jsonl")).toBe(rounds.map((one) => `${JSON.stringify(one)}\n`).join(""));
    const again = await RunFolder.resume(at("torn"));
    expect(again.checkpoint).toMatchObject(had(1));
    await again.folder.close();
    truncateSync(at("torn", "queries.jsonl"), 20);
    await expect(RunFolder.resume(at("torn"))).rejects.toThrow("queries.jsonl has 20 bytes; expected at least");
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
