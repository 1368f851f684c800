import { mkdir, readdir, readFile, rm, rmdir, stat, truncate } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Checkpoint, RoundReport } from "../src/activemixup/index.js";
import { InputError } from "../src/errors.js";
import { encodeState, type NetworkSpec } from "../src/nn/index.js";
import { decodeCheckpoint, encodeCheckpoint, formatAnswers, parseAnswers } from "./checkpoint-file.js";
import { appendDurably, asInputError, linesOf, writeWhole } from "./files.js";
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
 * - `report.html`: the same to look at, with pictures, rewritten after each round;
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
    const config = await readConfig(path, "--resume ");
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

  /**
   * Lets the run go on otherwise than it began, also where it had come to its end: it has not any more, whenever the
   * process is killed.
   */
  async reopen(config: object): Promise<void> {
    const summary = await this.finishedSummary();
    if (summary) await this.writeSummary({ ...summary, stopped: undefined });
    await this.writeConfig(config);
  }

  /** Of what cannot be written once the run has begun: what it paid for is here, and nowhere else. */
  private get cure(): string {
    return `make room there, then go on with \`activemixup distill --resume ${this.path}\``;
  }

  /** For a run that could not begin. */
  removeConfig(): Promise<void> {
    return rm(join(this.path, CONFIG), { force: true });
  }

  /** Makes a finished round durable: what it did, the answers that it added, and from where to go on. */
  async finishRound(round: RoundReport, checkpoint: Checkpoint, spec: NetworkSpec): Promise<void> {
    const added = checkpoint.answers.filter((answer) => answer.round === round.round);
    this.answersEnd = await appendDurably(join(this.path, QUERIES), formatAnswers(added), this.cure);
    await appendDurably(join(this.path, ROUNDS), `${JSON.stringify(round)}\n`, this.cure);
    // Before the checkpoint: a run that goes on after this round, and is stopped in the next, does not write it again.
    await this.writeStudent(encodeState(spec, checkpoint.best ?? checkpoint.student));
    await writeWhole(join(this.path, CHECKPOINT), encodeCheckpoint(checkpoint, this.answersEnd), this.cure);
  }

  writeStudent(safetensors: Uint8Array): Promise<void> {
    return writeWhole(join(this.path, "student.safetensors"), safetensors, this.cure);
  }

  writeSummary(summary: object): Promise<void> {
    return writeWhole(join(this.path, SUMMARY), json(summary), this.cure);
  }

  /** What `summary.json` says, if a round was finished. */
  async summary(): Promise<object | undefined> {
    return (await readRunFiles(this.path)).summary;
  }

  /** What `summary.json` says, if the run has come to its end. */
  async finishedSummary(): Promise<object | undefined> {
    const summary = (await this.summary()) as { readonly stopped?: unknown } | undefined;
    return summary?.stopped === undefined ? undefined : summary;
  }

  /** Lets other processes run here. Nothing stays of a folder in which no run began. One that is gone is closed too. */
  async close(): Promise<void> {
    await this.lock.release();
    const names = await readdir(this.path).catch(absent(this.path));
    if (names?.every((name) => name === LOCK) !== true) return;
    await rm(join(this.path, LOCK), { force: true });
    // Another process may have begun here in the meantime.
    await rmdir(this.path).catch(() => undefined);
  }

  private async readCheckpoint(): Promise<Checkpoint | undefined> {
    const { state, answersEnd } = await readState(this.path);
    this.answersEnd = answersEnd;
    const { answers, length } = await readAnswers(this.path, answersEnd);
    // Those of an unfinished round are cut off.
    if (length > answersEnd) await truncate(join(this.path, QUERIES), answersEnd);
    await this.rewriteRounds(state?.rounds ?? []);
    return state && { ...state, answers };
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

/**
 * What `config.json` and `summary.json` of a run say, read without touching its folder: another process may be at it.
 * @throws InputError where it is no run's folder, or a file is damaged
 */
export async function readRunFiles(folder: string): Promise<{ config: unknown; summary?: object }> {
  const config = await readConfig(folder);
  const path = join(folder, SUMMARY);
  const text = await readFile(path, "utf8").catch(absent(path));
  if (text === undefined) return { config };
  const summary = parseJson(text, path);
  if (typeof summary === "object" && summary !== null) return { config, summary };
  throw new InputError(`${path} holds no object; put back the file that the run wrote, or begin anew`);
}

/**
 * The answers of a run's finished rounds and how its student compares, likewise.
 * @throws InputError where a file is damaged
 */
export async function readAnswered(folder: string): Promise<Pick<Checkpoint, "answers" | "comparison">> {
  const { state, answersEnd } = await readState(folder);
  const { answers } = await readAnswers(folder, answersEnd);
  return { answers, ...(state?.comparison ? { comparison: state.comparison } : {}) };
}

async function readConfig(folder: string, option = ""): Promise<unknown> {
  const path = join(folder, CONFIG);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    throw new InputError(
      `${option}${folder} is no run's folder: ${CONFIG} cannot be read (${code}); give the --out of a run`,
    );
  });
  return parseJson(text, path);
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError(`${path} is not JSON; put back the file that the run wrote, or begin anew`);
  }
}

/** Where to go on from after the last finished round, if there is one. */
async function readState(folder: string) {
  const path = join(folder, CHECKPOINT);
  const bytes = await readFile(path).catch(absent(path));
  return bytes ? decodeCheckpoint(bytes, path) : { state: undefined, answersEnd: 0 };
}

/** The answers of the finished rounds, and the bytes that the file has in all. */
async function readAnswers(folder: string, end: number): Promise<{ answers: Checkpoint["answers"]; length: number }> {
  const path = join(folder, QUERIES);
  const length = (await stat(path).catch(absent(path)))?.size ?? 0;
  if (length < end) {
    throw new InputError(
      `${path} has ${length} bytes; expected at least ${end}, the answers of the finished rounds: ` +
        `put the whole file back, or begin anew with --ledger ${join(folder, "ledger")}, which costs no query twice`,
    );
  }
  return { answers: end > 0 ? await parseAnswers(linesOf(path, end), path) : [], length };
}

/** What reading a file comes to that may be missing. */
function absent(path: string): (error: unknown) => undefined {
  return (error) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw asInputError(error, path, "read", "see that you may read it");
  };
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
