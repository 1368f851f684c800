import { appendFile, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../src/errors.js";
import type { AnsweredQuery, RoundReport } from "../src/activemixup/index.js";
import { asInputError, writeWhole } from "./files.js";

/**
 * The folder of a run:
 *
 * - `config.json`: all options, which images of the data set the n real ones are, and the tuned variants;
 * - `queries.jsonl`: each answered query, one a line, on disk before it is used;
 * - `rounds.jsonl`: what each round did, one a line;
 * - `student.safetensors`: the student after the last finished round;
 * - `summary.json`: the whole in one object, rewritten after each round.
 */
export class RunFolder {
  private constructor(readonly path: string) {}

  /**
   * Makes the folder.
   * @throws InputError where it holds something already, or cannot be made.
   */
  static async create(path: string): Promise<RunFolder> {
    let held: string[];
    try {
      await mkdir(path, { recursive: true });
      held = await readdir(path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new InputError(`--out ${path} cannot be made a folder (${code}); give a place where you may write`);
    }
    if (held.length > 0) {
      throw new InputError(`--out ${path} is not empty (it holds ${held[0]}); give a new folder, or remove it first`);
    }
    return new RunFolder(path);
  }

  writeConfig(config: object): Promise<void> {
    return writeWhole(join(this.path, "config.json"), json(config));
  }

  /** Appends answers: numbers of the two images among the n real ones, λ, and the teacher's probabilities. */
  async appendAnswers(answers: readonly AnsweredQuery[]): Promise<void> {
    const lines = answers.map(({ round, first, second, lambda, confidence, label }) =>
      JSON.stringify({ round, first, second, lambda, confidence, label: Array.from(label) }),
    );
    await this.append("queries.jsonl", lines);
  }

  async appendRound(report: RoundReport): Promise<void> {
    await this.append("rounds.jsonl", [JSON.stringify(report)]);
  }

  private async append(name: string, lines: readonly string[]): Promise<void> {
    const path = join(this.path, name);
    try {
      await appendFile(path, lines.map((line) => `${line}\n`).join(""));
    } catch (error) {
      throw asInputError(error, path, "written", "see that the disk has room");
    }
  }

  writeStudent(safetensors: Uint8Array): Promise<void> {
    return writeWhole(join(this.path, "student.safetensors"), safetensors);
  }

  writeSummary(summary: object): Promise<void> {
    return writeWhole(join(this.path, "summary.json"), json(summary));
  }
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
