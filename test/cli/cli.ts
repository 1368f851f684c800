import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { vi } from "vitest";
import { run } from "../../cli/run.js";
import { drawDigits } from "../../src/data/index.js";
import { concat, idxLabels, words } from "../data/fixtures.js";

/** What a command left behind. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line in this process. */
export async function cli(...args: string[]): Promise<Outcome> {
  return captured(() => run(args));
}

/**
 * Runs something that returns an exit code, and catches what it prints.
 * @param onPrint is told each piece of it at once
 */
export async function captured(body: () => Promise<number>, onPrint?: (text: string) => void): Promise<Outcome> {
  const written = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((stream) =>
    vi.spyOn(process[stream], "write").mockImplementation((chunk) => {
      written[stream] += String(chunk);
      onPrint?.(String(chunk));
      return true;
    }),
  );
  try {
    return { code: await body(), ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** Writes drawn digits as an IDX folder with both splits. */
export function writeDigits(folder: string, train: number, test: number, size = 12): void {
  for (const [prefix, count, seed] of [["train", train, 1] as const, ["t10k", test, 2] as const]) {
    const { pixels, labels } = drawDigits(count, seed, { size });
    const images = concat(words(0x803, count, size, size), pixels);
    writeFileSync(join(folder, `${prefix}-images-idx3-ubyte`), images);
    writeFileSync(join(folder, `${prefix}-labels-idx1-ubyte`), idxLabels(labels!));
  }
}
