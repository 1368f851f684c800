import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { decodeCheckpoint, encodeCheckpoint } from "../../cli/checkpoint-file.js";
import { RunFolder } from "../../cli/run-folder.js";
import { specFor, type Checkpoint, type RoundReport } from "../../src/activemixup/index.js";
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

describe("RunFolder", () => {
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
