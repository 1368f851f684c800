import { mkdir, readdir, readFile, rm, rmdir, truncate } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Checkpoint, RoundReport } from "../src/activemixup/index.js";
import { InputError } from "../src/errors.js";
import { encodeState, type NetworkSpec } from "../src/nn/index.js";
import { decodeCheckpoint, encodeCheckpoint, formatAnswers, parseAnswers } from "./checkpoint-file.js";
import { appendDurably, asInputError, writeWhole } from "./files.js";
import { lockFile, type FileLock } from "../src/activemixup/ledger/lock.node.js";

const LOCK = "run.lock";
const CONFIG = "config.json";
const CHECKPOINT = "checkpoint.safetensors";
const QUERIES = "queries.jsonl";
const ROUNDS = "rounds.jsonl";
const SUMMARY = "summary.json";

/**
 * The folder of a run:
 *
 * - `config.json`: all options, which images of the data set the real ones are, and the tuned variants;
 * - `ledger/`: the teachers' answers, durable before they are used, unless they are kept elsewhere;
 * - `queries.jsonl`: the answered queries of the finished rounds, one a line;
 * - `rounds.jsonl`: what each round did, one a line;
 * - `checkpoint.safetensors`: where to go on from after the last finished round;
 * - `student.safetensors`: the student that is kept;
 * - `summary.json`: the whole in one object, rewritten after each round;
 * - `run.lock`: locked by the process that runs here.
 *
 * A round counts as finished once its checkpoint is written: that is the last thing on which a resumed run builds.
 */
export class RunFolder {
  private constructor(
    readonly path: string,
    private readonly lock: FileLock,
    /** Length in bytes of the answers of the finished rounds. */
    private answersEnd: number,
  ) {}

  /**
   * Makes the folder, and locks it for this process.
   * @throws InputError where it holds something already, cannot be made, or another process runs there.
   */
  static async create(path: string): Promise<RunFolder> {
    await makeFolder(path);
    const lock = await lockFile(join(path, LOCK), `the run in ${path}`);
    try {
      // Looked at once it is locked: nobody begins a run here any more.
      checkEmpty(path, await heldIn(path));
      return new RunFolder(resolve(path), lock, 0);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /**
   * Opens the folder of a run that has ended or was killed, and drops what its last unfinished round left.
   * @returns the folder, what `config.json` says, and the checkpoint, if a round was finished
   * @throws InputError where there is no run, or another process runs there.
   */
  static async resume(path: string): Promise<{ folder: RunFolder; config: unknown; checkpoint?: Checkpoint }> {
    const config = await readJson(path);
    const folder = new RunFolder(resolve(path), await lockFile(join(path, LOCK), `the run in ${path}`), 0);
    try {
      const checkpoint = await folder.readCheckpoint();
      return { folder, config, ...(checkpoint ? { checkpoint } : {}) };
    } catch (error) {
      await folder.close();
      throw error;
    }
  }

  writeConfig(config: object): Promise<void> {
    return writeWhole(join(this.path, CONFIG), json(config));
  }

  /** Makes a finished round durable: what it did, the answers that it added, and from where to go on. */
  async finishRound(round: RoundReport, checkpoint: Checkpoint, spec: NetworkSpec): Promise<void> {
    const added = checkpoint.answers.filter((answer) => answer.round === round.round);
    this.answersEnd = await appendDurably(join(this.path, QUERIES), formatAnswers(added));
    await appendDurably(join(this.path, ROUNDS), `${JSON.stringify(round)}\n`);
    // Before the checkpoint: a run that goes on after this round, and is stopped in the next, does not write it again.
    await this.writeStudent(encodeState(spec, checkpoint.best ?? checkpoint.student));
    await writeWhole(join(this.path, CHECKPOINT), encodeCheckpoint(checkpoint, this.answersEnd));
  }

  writeStudent(safetensors: Uint8Array): Promise<void> {
    return writeWhole(join(this.path, "student.safetensors"), safetensors);
  }

  writeSummary(summary: object): Promise<void> {
    return writeWhole(join(this.path, SUMMARY), json(summary));
  }

  /** What `summary.json` says, if the run has come to its end. */
  async finishedSummary(): Promise<object | undefined> {
    const text = await readFile(join(this.path, SUMMARY), "utf8").catch(() => "{}");
    const summary = JSON.parse(text) as { readonly stopped?: unknown };
    return summary.stopped === undefined ? undefined : summary;
  }

  /** Lets other processes run here. Nothing stays of a folder in which no run began. */
  async close(): Promise<void> {
    await this.lock.release();
    if ((await readdir(this.path)).some((name) => name !== LOCK)) return;
    await rm(join(this.path, LOCK));
    // Another process may have begun here in the meantime.
    await rmdir(this.path).catch(() => undefined);
  }

  private async readCheckpoint(): Promise<Checkpoint | undefined> {
    const path = join(this.path, CHECKPOINT);
    const bytes = await readFile(path).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw asInputError(error, path, "read", "see that you may read it");
    });
    const { state, answersEnd } = bytes ? decodeCheckpoint(bytes, path) : { state: undefined, answersEnd: 0 };
    this.answersEnd = answersEnd;
    const answers = await this.readAnswers(answersEnd);
    await this.rewriteRounds(state?.rounds ?? []);
    return state && { ...state, answers };
  }

  /** The answers of finished rounds; those of an unfinished one are cut off. */
  private async readAnswers(end: number): Promise<Checkpoint["answers"]> {
    const path = join(this.path, QUERIES);
    const bytes = await readFile(path).catch(() => new Uint8Array());
    if (bytes.length < end) {
      throw new InputError(
        `${path} has ${bytes.length} bytes; expected at least ${end}, the answers of the finished rounds: ` +
          `put the whole file back, or begin anew with --ledger ${join(this.path, "ledger")}, which costs no query twice`,
      );
    }
    if (bytes.length > end) await truncate(path, end);
    return parseAnswers(bytes.subarray(0, end), path);
  }

  private async rewriteRounds(rounds: readonly RoundReport[]): Promise<void> {
    await writeWhole(join(this.path, ROUNDS), rounds.map((round) => `${JSON.stringify(round)}\n`).join(""));
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
    await heldIn(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new InputError(`--out ${path} cannot be made a folder (${code}); give a place where you may write`);
  }
}

/** What a folder holds of its own: locks and drafts of a process that was killed are not. */
async function heldIn(path: string): Promise<string[]> {
  return (await readdir(path)).filter((name) => name !== LOCK && !name.endsWith(".tmp"));
}

function checkEmpty(path: string, held: readonly string[]): void {
  if (held.includes(CONFIG)) {
    throw new InputError(`--out ${path} holds a run already; go on with it by --resume ${path}, or give a new folder`);
  }
  if (held.length > 0) {
    throw new InputError(`--out ${path} is not empty (it holds ${held[0]}); give a new folder, or remove it first`);
  }
}

async function readJson(folder: string): Promise<unknown> {
  const path = join(folder, CONFIG);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    throw new InputError(
      `--resume ${folder} is no run's folder: ${CONFIG} cannot be read (${code}); give the --out of a run`,
    );
  });
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError(`${path} is not JSON; put back the file that the run wrote, or begin anew`);
  }
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
