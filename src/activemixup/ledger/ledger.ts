import { InputError } from "../../errors.js";
import type { ImageShape } from "../../nn/index.js";
import { checkAnswer } from "../teacher/check-answer.js";
import { AnswerFault, TeacherFault, type Answer, type QueryBatch, type Teacher } from "../teacher/teacher.js";
import { queryIdentity } from "./identity.js";
import { backoff, LONGEST_TIMER, Pacer, sleep } from "./pacer.js";
import type { KeptAnswer, LedgerStore } from "./store.js";

/** 8-bit images, N C H W. */
export interface Images extends ImageShape {
  readonly count: number;
  readonly pixels: Uint8Array;
}

/** What one run may ask of a teacher. */
export interface LedgerOptions {
  /** Tells the runs apart that share a store. */
  readonly run: string;
  /** Most images that the teacher may charge this run for. */
  readonly budget: number;
  /** Whether attempts that failed, or were under way when the run was killed, count against the budget. */
  readonly countFailed: boolean;
  /**
   * Whether images are left out that the teacher never answers rightly, though it is there in most of the attempts; the
   * run ends at one where absent.
   */
  readonly skipUnanswered?: boolean | undefined;
  /** Hears of faults that are waited out. */
  readonly onNotice?: ((message: string) => void) | undefined;
}

/** Whom a query tells, and what stops it. */
export interface LedgerQueryOptions {
  readonly signal?: AbortSignal | undefined;
  /** `done` of the images have answers. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

/** What one teacher was asked by a run, in images. */
export interface TeacherAccount {
  readonly name: string;
  /** Counted against the budget. */
  readonly spent: number;
  readonly budget: number;
  /** Answers that this run got from the teacher; others it found in the ledger. */
  readonly answered: number;
  /** Attempts that failed and may have been charged for. */
  readonly failed: number;
  /** Under way when the run was killed: asked again since. */
  readonly lost: number;
}

/** Why an image has no answer: the budget did not cover it, or the teacher never answered it and it was left out. */
export type Missing = "budget" | "skipped";

/** Seconds that a run waits at most for a teacher who asks for it. */
const LONGEST_WAIT = 24 * 3600;

/** Seconds that requests under way may still take after Ctrl-C: their answers are paid for. */
const GRACE = 5;

/**
 * What one run asks of one teacher. An image whose answer is kept is not asked about; every request is durable before
 * it is sent and every answer before it is used; failed attempts are repeated; never more than the budget is spent.
 */
export class Ledger {
  private underWay = 0;
  private answered: number;
  private failed: number;
  /** Under way when this run was killed. */
  private readonly lost: number;
  private readonly pacer: Pacer;
  private readonly countFailed: boolean;

  constructor(
    readonly teacher: Teacher,
    private readonly store: LedgerStore,
    private readonly options: LedgerOptions,
  ) {
    this.pacer = new Pacer(teacher.manner.requestsPerSecond);
    this.countFailed = options.countFailed && teacher.manner.charges;
    const { answered, failed, open } = store.spending(options.run);
    this.answered = answered;
    this.failed = failed;
    this.lost = open;
  }

  /** Images that count against the budget so far. */
  get spent(): number {
    return this.answered + this.underWay + (this.countFailed ? this.failed + this.lost : 0);
  }

  get left(): number {
    return Math.max(0, this.options.budget - this.spent);
  }

  /** What the teacher was asked so far. */
  get account(): TeacherAccount {
    const { spent, answered, failed, lost } = this;
    return { name: this.teacher.name, spent, budget: this.options.budget, answered, failed, lost };
  }

  /**
   * Soft labels of the images, in their order, or why there is none.
   * @throws InputError where the teacher gave no answer to an image in all its attempts, unless those are skipped, or
   * says that asking again is of no use; what aborted the signal. Answers that came until then are kept.
   */
  async query(images: Images, { signal, onProgress }: LedgerQueryOptions = {}): Promise<(Float32Array | Missing)[]> {
    const { count, pixels } = images;
    const size = pixels.length / count;
    const imageAt = (index: number) => pixels.subarray(index * size, (index + 1) * size);
    const ids = await Promise.all(
      Array.from({ length: count }, (_, index) => queryIdentity(this.teacher.name, images, imageAt(index))),
    );
    const places = new Map<string, number>();
    for (const [index, id] of ids.entries()) if (this.isOpen(id)) places.set(id, index);
    const wanted = [...places.keys()];
    let done = count - wanted.length;
    if (done > 0) onProgress?.(done);
    await this.inParallel(wanted, async (part, failed) => {
      await this.ask(part, (id) => imageAt(places.get(id)!), images, { signal, failed });
      onProgress?.((done += part.length));
    });
    return ids.map((id) => this.store.find(id) ?? (this.store.isSkipped(this.options.run, id) ? "skipped" : "budget"));
  }

  /** Whether a query is to be asked: it has no answer, and was not given up. */
  private isOpen(id: string): boolean {
    return this.store.find(id) === undefined && !this.store.isSkipped(this.options.run, id);
  }

  /**
   * Works off the queries in requests, several at a time. After an error no further request begins, a repeated one
   * neither, and those under way end before it is thrown.
   * @param work is told by its signal that other work has failed
   */
  private async inParallel(
    wanted: readonly string[],
    work: (part: string[], failed: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const { batch, concurrency } = this.teacher.manner;
    const failure = new AbortController();
    let next = 0;
    const worker = async () => {
      while (next < wanted.length && !failure.signal.aborted) {
        const part = wanted.slice(next, (next += batch));
        await work(part, failure.signal).catch((error: unknown) => {
          failure.abort(error);
        });
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
    failure.signal.throwIfAborted();
  }

  /**
   * Asks until all of `wanted` have answers, or the budget is spent.
   * @param signal ends requests that are under way too
   * @param failed keeps more from beginning
   */
  private async ask(
    wanted: readonly string[],
    pixelsOf: (id: string) => Uint8Array,
    { channels, height, width }: ImageShape,
    { signal, failed: others }: { readonly signal: AbortSignal | undefined; readonly failed: AbortSignal },
  ): Promise<void> {
    const { attempts, backoffSeconds } = this.teacher.manner;
    const waiting = signal ? AbortSignal.any([signal, others]) : others;
    const unusable: UnusableAnswers[] = [];
    let answered = this.answered;
    for (let failed = 1; ; failed++) {
      await this.pacer.turn(waiting);
      const ids = wanted.slice(0, this.left);
      if (ids.length === 0) return;
      const count = ids.length;
      const pixels = new Uint8Array(count * channels * height * width);
      for (const [index, id] of ids.entries()) pixels.set(pixelsOf(id), index * channels * height * width);
      const fault = await this.attempt({ channels, height, width, count, pixels, ids }, signal);
      wanted = wanted.filter((id) => this.store.find(id) === undefined);
      if (!fault || wanted.length === 0) return;
      if (fault instanceof UnusableAnswers) unusable.push(fault);
      // A service that refuses some requests for nothing, and answers others, is well: it limits the rate.
      if (!fault.charged && this.answered > answered) failed = 0;
      answered = this.answered;
      if (failed === attempts && this.options.skipUnanswered && 2 * unusable.length > attempts) {
        // The budget may not have covered the others' last attempt.
        const asked = new Set(ids);
        await this.skip(
          wanted.filter((id) => asked.has(id)),
          unusable.at(-1)!,
        );
        return;
      }
      if (failed === attempts) {
        const query = `query ${wanted[0]}`;
        throw new InputError(
          `the teacher ${this.teacher.name} gave no answer to ${query} in ${attempts} ` +
            `${attempts === 1 ? "attempt" : "attempts"}: ${fault.message.replace(`${query}: `, "")}; ` +
            `mend the teacher${fault instanceof UnusableAnswers ? ", or leave such images out (--skip-unanswered)" : ""}, ` +
            "then go on from what is kept (distill --resume)",
        );
      }
      const wait = Math.max(backoff(backoffSeconds, failed), fault.retryAfter ?? 0);
      if (wait > LONGEST_WAIT) {
        throw new InputError(
          `the teacher ${this.teacher.name} failed (${fault.message}) and wants to be asked again in ${wait.toFixed(0)} s; ` +
            `go on then from what is kept (distill --resume)`,
        );
      }
      if (fault.retryAfter !== undefined) this.pacer.pause(fault.retryAfter);
      if (wait >= 1)
        this.options.onNotice?.(
          `the teacher ${this.teacher.name} failed (${fault.message}); next attempt in ${wait.toFixed(0)} s`,
        );
      await sleep(wait, waiting);
    }
  }

  /** Gives queries up, durably: the run does not ask about them again. */
  private async skip(queries: readonly string[], { message }: UnusableAnswers): Promise<void> {
    const { run, onNotice } = this.options;
    await this.store.append(queries.map((query) => ({ kind: "skip", run, query, why: message })));
    onNotice?.(`the teacher never answered ${queries.length} of the images (${message}); they are left out`);
  }

  /** One request: durable before it is sent, its answers before they are used. Gives what went wrong, if anything did. */
  private async attempt(batch: QueryBatch, signal?: AbortSignal): Promise<TeacherFault | undefined> {
    const { count, ids } = batch;
    const ask = this.store.nextAsk();
    this.underWay += count;
    try {
      await this.store.append([{ kind: "ask", ask, run: this.options.run, count }]);
      let answers: readonly Answer[] = [];
      let fault: unknown;
      try {
        answers = await this.send(batch, signal);
      } catch (error) {
        fault = error;
      }
      const kept: KeptAnswer[] = [];
      if (fault === undefined && answers.length !== count) {
        fault = new TeacherFault(`${answers.length} answers to ${count} images`, true);
      }
      if (fault === undefined) {
        for (const [index, query] of ids.entries()) {
          const answer = checkAnswer(answers[index], this.teacher.classes);
          if (answer instanceof AnswerFault) fault ??= new UnusableAnswers(`query ${query}: ${answer.message}`, true);
          // A copy: the teacher may use its memory again.
          else kept.push({ query, probabilities: answer.slice() });
        }
      }
      const free = fault instanceof TeacherFault && !fault.charged;
      const failed = free ? 0 : count - kept.length;
      const why = fault instanceof Error ? fault.message : undefined;
      await this.store.append([{ kind: "outcome", ask, answers: kept, failed, ...(why ? { why } : {}) }]);
      this.answered += kept.length;
      this.failed += failed;
      if (fault === undefined || fault instanceof TeacherFault) return fault;
      throw fault;
    } finally {
      this.underWay -= count;
    }
  }

  /** Sends a request, within the teacher's time. */
  private async send(batch: QueryBatch, signal?: AbortSignal): Promise<readonly Answer[]> {
    const { timeoutSeconds, charges } = this.teacher.manner;
    const stop = new AbortController();
    const timers: ReturnType<typeof setTimeout>[] = [];
    const after = (seconds: number, reason: Error) => {
      timers.push(
        setTimeout(
          () => {
            stop.abort(reason);
          },
          Math.min(seconds * 1000, LONGEST_TIMER),
        ),
      );
    };
    const onAbort = () => {
      after(charges ? GRACE : 0, signal!.reason as Error);
    };
    if (timeoutSeconds !== undefined) after(timeoutSeconds, new TeacherFault(`no answer in ${timeoutSeconds} s`, true));
    signal?.addEventListener("abort", onAbort);
    // A signal that was aborted while the request was made durable tells nobody again.
    if (signal?.aborted) onAbort();
    try {
      return await this.teacher.query(batch, stop.signal);
    } catch (error) {
      throw stop.signal.aborted ? stop.signal.reason : error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      for (const timer of timers) clearTimeout(timer);
    }
  }
}

/** Answers came, and some cannot be used: the teacher is there, and it is these images that it does not answer. */
class UnusableAnswers extends TeacherFault {}
