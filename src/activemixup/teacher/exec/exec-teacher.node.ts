import { createHash } from "node:crypto";
import { DisposedError, InputError } from "../../../errors.js";
import { LONGEST_TIMER } from "../../ledger/pacer.js";
import { readAnswer, type AnswerForm, type AnswerReading } from "../answer-form.js";
import { mappingDigest } from "../mapping.node.js";
import { orAborted } from "../or-aborted.js";
import { answerReading, askingManner, refuseUnheeded, settingsOfHttp } from "../reading.js";
import { oneLine } from "../secrets.js";
import type { TeacherSettings } from "../settings.js";
import {
  serviceManner,
  TeacherFault,
  type Answer,
  type AskingManner,
  type QueryBatch,
  type Teacher,
} from "../teacher.js";
import { Child } from "./child.node.js";
import { answersBytes, decodeAnswers, encodeRequest, FrameError, frameKinds } from "./frames.js";
import { parseError, parseHello, type ChildError, type Hello } from "./hello.js";

/** Whom a command's stderr goes to, and what stops its start. */
export interface ExecOptions {
  /** Hears of each line that the command writes to stderr. */
  readonly log?: ((line: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Of a process on this machine: it takes one request at a time, and loading a large model takes its time. */
const execManner: AskingManner = { ...serviceManner, concurrency: 1, timeoutSeconds: 300 };

/** Milliseconds that the command has to end by itself when it is asked to. */
const GRACE = 2000;

/** Longest body of an error frame. */
const ERROR_BYTES = 2 ** 16;

/** A command in the role of the teacher: it reads images from its stdin and writes answers to its stdout. */
export class ExecTeacher implements Teacher {
  readonly name: string;
  readonly manner: AskingManner;
  private readonly reading: AnswerReading;
  private readonly stop = new AbortController();
  private running: Promise<Answer[]> | undefined;
  private asked = 0;

  private constructor(
    private readonly command: string,
    settings: TeacherSettings,
    private readonly hello: Hello,
    private child: Child,
    private readonly log?: (line: string) => void,
  ) {
    const digest = createHash("sha256").update(command).digest("hex").slice(0, 16);
    // The command itself is no name: it may hold what nobody else is to read.
    this.name = settings.name ?? `exec:${hello.name ?? digest}${mappingDigest(settings, false)}`;
    this.reading = answerReading(this.name, hello, settings, "probabilities");
    this.manner = askingManner(this.name, execManner, settings.asking, hello.batch);
    if (this.manner.concurrency !== 1) {
      throw new InputError(`${this.name} takes one request at a time; leave asking.concurrency out of its settings`);
    }
  }

  /**
   * Starts the command and hears what it says of itself.
   * @param command a line for the shell
   * @throws InputError where it cannot be started, or ends or is silent in place of saying hello
   */
  static async open(command: string, settings: TeacherSettings = {}, options: ExecOptions = {}): Promise<ExecTeacher> {
    if (command.trim() === "")
      throw new InputError('the teacher "exec:" names no command; write exec:COMMAND, in quotes');
    if (process.platform === "win32") {
      throw new InputError("exec: teachers need groups of processes, which Windows lacks; use module: or http: there");
    }
    refuseUnheeded(`exec:${command}`, settings, [...settingsOfHttp, "onnx"]);
    const seconds = settings.asking?.timeoutSeconds ?? execManner.timeoutSeconds!;
    const silent = AbortSignal.timeout(Math.min(Math.ceil(seconds * 1000), LONGEST_TIMER));
    const signal = options.signal ? AbortSignal.any([options.signal, silent]) : silent;
    const { child, hello, fault } = await start(command, signal, options.log);
    options.signal?.throwIfAborted();
    if (!hello) {
      const what = silent.aborted ? `said no hello in ${seconds} s` : fault;
      throw new InputError(
        `exec:${command}: the command ${what}; it has to say hello in a frame on stdout, and to answer frames on stdin`,
      );
    }
    try {
      return new ExecTeacher(command, settings, hello, child, options.log);
    } catch (error) {
      child.giveUp();
      await child.ended;
      throw error;
    }
  }

  get classes(): number {
    return this.reading.classes;
  }

  get form(): AnswerForm {
    return this.reading.form;
  }

  get classNames(): readonly string[] | undefined {
    return this.reading.classNames;
  }

  /**
   * Sends the images and waits for the answers; starts the command again first, if it has ended.
   * @throws TeacherFault where the command ends, writes what is no answer, or says that it has none
   */
  async query(batch: QueryBatch, signal?: AbortSignal): Promise<Answer[]> {
    if (this.running) throw new Error(`${this.name}: asked while it is being asked`);
    const { signal: disposed } = this.stop;
    const running = this.attempt(batch, signal ? AbortSignal.any([signal, disposed]) : disposed);
    this.running = running;
    try {
      return await running;
    } finally {
      this.running = undefined;
    }
  }

  /** Lets the command end; kills it, with all that it started, where it does not, or is in the middle of a request. */
  async dispose(): Promise<void> {
    this.stop.abort(new DisposedError(`the teacher ${this.name} was disposed`));
    await this.running?.catch(() => undefined);
    await this.child.close(GRACE);
  }

  private async attempt(
    { count, channels, height, width, pixels }: QueryBatch,
    signal: AbortSignal,
  ): Promise<Answer[]> {
    signal.throwIfAborted();
    if (this.child.gone) await this.restart(signal);
    const { child } = this;
    const { form, classes } = this.reading;
    const widest = form === "label" ? 1 : form === "top" ? 2 * classes : classes;
    this.asked = (this.asked + 1) % 2 ** 32;
    const request = { number: this.asked, count, channels, height, width, pixels };
    let sent = false;
    try {
      child.send(encodeRequest(request), Math.max(ERROR_BYTES, answersBytes(count, widest)));
      sent = true;
      const { kind, body } = await within(child, child.frame(), signal);
      if (kind === frameKinds.error) return refuse(this.name, parseError(body));
      if (kind !== frameKinds.answers) throw new FrameError("a second hello");
      return decodeAnswers(body, request).map((row) => readRow(row, this.reading));
    } catch (error) {
      if (error instanceof InputError || error instanceof TeacherFault) throw error;
      if (error instanceof FrameError) child.breach(error.message);
      signal.throwIfAborted();
      throw new TeacherFault(`the command ${await child.ended}`, sent);
    }
  }

  private async restart(signal: AbortSignal): Promise<void> {
    // Two of them might not fit the GPU's memory.
    await within(this.child, this.child.ended, signal);
    const { child, hello, fault } = await start(this.command, signal, this.log);
    this.child = child;
    signal.throwIfAborted();
    if (!hello) throw new TeacherFault(`the command, started again, ${fault}`, false);
    if (JSON.stringify(hello) === JSON.stringify(this.hello)) return;
    child.giveUp();
    throw new InputError(`${this.name} says another hello after a restart; the command has to serve the same model`);
  }
}

/**
 * Starts a command as a teacher: see {@link ExecTeacher}.
 * @param command a line for the shell
 * @throws InputError where it cannot be started, or ends or is silent in place of saying hello
 */
export function openExecTeacher(
  command: string,
  settings?: TeacherSettings,
  options?: ExecOptions,
): Promise<ExecTeacher> {
  return ExecTeacher.open(command, settings, options);
}

/** Starts a command and hears its hello; or says why there is none, once the command has ended. */
async function start(
  command: string,
  signal?: AbortSignal,
  log?: (line: string) => void,
): Promise<{ child: Child; hello?: Hello; fault?: string }> {
  const child = new Child(command, log);
  try {
    const { kind, body } = await within(child, child.frame(), signal);
    if (kind !== frameKinds.hello) throw new FrameError("it did not begin with a hello");
    return { child, hello: parseHello(body) };
  } catch (error) {
    if (error instanceof FrameError) child.breach(error.message);
    else child.giveUp();
    return { child, fault: await child.ended };
  }
}

/** What the promise comes to; kills the child when the signal is aborted before. */
async function within<T>(child: Child, promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await orAborted(promise, signal);
  } catch (error) {
    if (signal?.aborted) child.giveUp();
    throw error;
  }
}

/** @throws what the child says in place of answers */
function refuse(name: string, { message, fatal, charged, retryAfter }: ChildError): never {
  const text = oneLine(message);
  if (fatal) throw new InputError(`${name}: ${text}`);
  throw new TeacherFault(text, charged ?? true, retryAfter);
}

/** A row of numbers: one a class; or a class; or as many classes as scores that follow them. */
function readRow(row: Float32Array, reading: AnswerReading): Answer {
  if (reading.form === "label") return readAnswer({ labels: row }, reading);
  if (reading.form !== "top") return readAnswer({ scores: row }, reading);
  const half = Math.ceil(row.length / 2);
  return readAnswer({ labels: row.subarray(0, half), scores: row.subarray(half) }, reading);
}
