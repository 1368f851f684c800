import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openExecTeacher, openModuleTeacher } from "../../../src/activemixup/index.js";
import { expectedAnswer, ledgerOf, numberedImages } from "./images.js";

const example = (name: string) => fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url));

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "activemixup-examples-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** In place of joblib and scikit-learn: a model that prints, notes what it answers, and dies in its second call. */
const JOBLIB = `
import os, signal
class Model:
    classes_ = ["ant", "bee", "cat", "dog"]
    def predict_proba(self, rows):
        print("predicting", len(rows))
        with open(os.environ["CALLS"], "a") as calls:
            calls.write(" ".join(str(round(row[0] * 255)) for row in rows) + "\\n")
        with open(os.environ["CALLS"]) as calls:
            if len(calls.readlines()) == 2:
                os.kill(os.getpid(), signal.SIGKILL)
        return [[0.7 if at == round(row[0] * 255) % 4 else 0.1 for at in range(4)] for row in rows]
def load(path):
    return Model()
`;

describe("examples", () => {
  it("exec-teacher.py serves a model over the protocol, and comes back after it was killed", async () => {
    const calls = join(folder, "calls");
    const model = join(folder, "model.joblib");
    mkdirSync(join(folder, "modules"));
    writeFileSync(join(folder, "modules", "joblib.py"), JOBLIB);
    writeFileSync(model, "weights");
    const lines: string[] = [];
    const teacher = await openExecTeacher(
      `CALLS="${calls}" PYTHONPATH="${join(folder, "modules")}" python3 "${example("exec-teacher.py")}" "${model}"`,
      { asking: { batch: 4, backoffSeconds: 0.01 } },
      { log: (line) => lines.push(line) },
    );
    const { ledger } = ledgerOf(teacher);
    const answers = await ledger.query(numberedImages(10));
    await teacher.dispose();
    expect(teacher.name).toBe("exec:model.joblib:9a129038d9a00aed");
    expect(teacher.classNames).toEqual(["ant", "bee", "cat", "dog"]);
    for (const [image, answer] of answers.entries()) {
      for (const [at, value] of expectedAnswer(image).entries()) expect(answer![at]).toBeCloseTo(value, 5);
    }
    // The second call was in vain, and was made again.
    expect(readFileSync(calls, "utf8")).toBe("0 1 2 3\n4 5 6 7\n4 5 6 7\n8 9\n");
    expect(ledger.spent).toBe(14);
    expect(lines).toContain("predicting 2");
  });

  it("module-teacher.mjs answers by where an image is bright", async () => {
    const teacher = await openModuleTeacher(example("module-teacher.mjs"));
    expect(teacher.classNames).toEqual(["brighter above", "brighter below"]);
    expect(teacher.manner).toMatchObject({ batch: 256, charges: false });
    const { ledger } = ledgerOf(teacher);
    // Two images of 1 × 3 × 2: the middle row counts to the upper half.
    const pixels = Uint8Array.of(9, 0, 90, 0, 0, 99, 0, 0, 0, 1, 255, 255);
    const answers = await ledger.query({ count: 2, channels: 1, height: 3, width: 2, pixels });
    expect(answers[0]![0]).toBeCloseTo(0.5, 5);
    expect(answers[1]![1]).toBeCloseTo(511 / 513, 5);
    expect(ledger.spent).toBe(2);
  });
});
