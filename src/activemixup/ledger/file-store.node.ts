import { createHash } from "node:crypto";
import { join } from "node:path";
import { InputError } from "../../errors.js";
import { fileFault } from "./file-fault.node.js";
import { encodeLine } from "./ledger-file.js";
import { openLedger, writeDurably, type OpenLedger } from "./open-ledger.node.js";
import type { LedgerEvent, LedgerState, LedgerStore, Spending } from "./store.js";

/** How a teacher's ledger is opened. */
export interface FileStoreOptions {
  /** Classes of the teacher, where they are known: a ledger of answers of another number is refused. */
  readonly classes?: number | undefined;
  /** Hears of a torn end that was cut off. */
  readonly onNotice?: ((message: string) => void) | undefined;
}

/** Numbers in answers from which a line takes in no further append: bounds lines, not appends. */
const FULL_LINE = 1 << 20;

interface Waiting {
  readonly events: readonly LedgerEvent[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** The file in a ledger's folder that holds the answers of one teacher. */
export function ledgerFile(folder: string, teacher: string): string {
  const words = teacher.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  const slug = words.join("-").slice(-40).replace(/^-/, "") || "teacher";
  return join(folder, `${slug}-${digestOf(teacher)}.ledger`);
}

/** Whether a file of this name may hold the answers of the teacher: one that {@link ledgerFile} named tells. */
export function mayBeOf(file: string, teacher: string): boolean {
  const [, digest] = /-([0-9a-f]{8})\.ledger$/.exec(file) ?? [];
  return digest === undefined || digest === digestOf(teacher);
}

function digestOf(teacher: string): string {
  return createHash("sha256").update(teacher).digest("hex").slice(0, 8);
}

/**
 * Keeps the answers of a teacher in a file that only grows. What comes while a write is under way is joined into the
 * next line; an append resolves when its line is on the disk. One process at a time has the file.
 */
export class FileStore implements LedgerStore {
  private readonly state: LedgerState;
  private asked: number;
  private nextNumber: number;
  private end: number;
  private readonly queue: Waiting[] = [];
  /** Queries whose answers are not on the disk yet. */
  private readonly undurable = new Set<string>();
  private writing: Promise<void> | undefined;
  /** Why nothing more is written. */
  private ended: Error | undefined;
  private closing: Promise<void> | undefined;

  private constructor(
    readonly teacher: string,
    /** The file. */
    readonly path: string,
    private readonly file: OpenLedger,
    private classes: number | undefined,
  ) {
    const { state, nextNumber, end } = file.scan;
    this.state = state;
    this.asked = state.lastAsk;
    this.nextNumber = nextNumber;
    this.end = end;
  }

  /**
   * Opens a teacher's ledger, or makes it, with its folder. A torn last line is cut off.
   * @throws InputError where another process has it; it is damaged, no ledger, or of another teacher, version or number
   * of classes; or the file system refuses
   */
  static async open(path: string, teacher: string, { classes, onNotice }: FileStoreOptions = {}): Promise<FileStore> {
    const file = await openLedger(path, teacher);
    const found = file.scan.classes;
    const store = new FileStore(teacher, path, file, found ?? classes);
    if (found !== undefined && classes !== undefined && found !== classes) {
      await store.close();
      throw new InputError(
        `${path} holds answers of ${found} classes and the teacher ${teacher} has ${classes}; give the teacher another ` +
          "name, or another ledger",
      );
    }
    const { torn } = file.scan;
    if (torn > 0) {
      onNotice?.(`${path}: cut off ${torn} bytes of a last line that was not written whole`);
    }
    return store;
  }

  nextAsk(): number {
    return ++this.asked;
  }

  find(query: string): Float32Array | undefined {
    return this.undurable.has(query) ? undefined : this.state.known.get(query);
  }

  isSkipped(run: string, query: string): boolean {
    return this.state.skipped(run).has(query);
  }

  spending(run: string): Spending {
    return this.state.spending(run);
  }

  /**
   * Keeps events, in order: on the disk once this resolves.
   * @throws InputError where they cannot be written; after that nothing more is. Error for events that cannot follow
   * those before them
   */
  append(events: readonly LedgerEvent[]): Promise<void> {
    if (this.ended) return Promise.reject(this.ended);
    for (const event of events) {
      const fault = this.state.fault(event) ?? this.wrongClasses(event);
      if (fault !== undefined) {
        // Events before it are in the state and not in the file: the two must not part further.
        this.ended = new Error(`${this.path}: ${fault}`);
        return Promise.reject(this.ended);
      }
      this.state.apply(event);
      if (event.kind === "outcome") for (const { query } of event.answers) this.undurable.add(query);
    }
    return new Promise((resolve, reject) => {
      this.queue.push({ events, resolve, reject });
      this.writing ??= this.write();
    });
  }

  /** Waits for what is to be written, and lets other processes have the file. */
  close(): Promise<void> {
    return (this.closing ??= this.finish());
  }

  private async finish(): Promise<void> {
    this.ended ??= new Error(`${this.path} is closed`);
    await this.writing;
    await this.file.handle.close();
    await this.file.lock.release();
  }

  private wrongClasses(event: LedgerEvent): string | undefined {
    if (event.kind !== "outcome") return undefined;
    for (const { query, probabilities } of event.answers) {
      this.classes ??= probabilities.length;
      if (probabilities.length !== this.classes) {
        return `query ${query} has ${probabilities.length} probabilities; expected ${this.classes}`;
      }
    }
    return undefined;
  }

  /** Writes until nothing waits. */
  private async write(): Promise<void> {
    await Promise.resolve(); // what is appended in the same turn of the event loop shares a line
    while (this.queue.length > 0) {
      const joined = this.takeLine();
      const events = joined.flatMap((waiting) => waiting.events);
      try {
        const line = encodeLine(this.nextNumber, events);
        await writeDurably(this.file.handle, line, this.end);
        this.nextNumber++;
        this.end += line.length;
      } catch (error) {
        this.ended = new InputError(
          `the ledger ${this.path} cannot be written (${fileFault(error)}); what was kept before is safe: make room on ` +
            "the disk or mend it, then go on from what is kept (distill --resume)",
        );
        for (const { reject } of [...joined, ...this.queue.splice(0)]) reject(this.ended);
        break;
      }
      for (const event of events) {
        if (event.kind === "outcome") for (const { query } of event.answers) this.undurable.delete(query);
      }
      for (const { resolve } of joined) resolve();
    }
    this.writing = undefined;
  }

  /** Takes what waits, up to a full line. */
  private takeLine(): Waiting[] {
    let numbers = 0;
    let count = 0;
    while (count < this.queue.length && numbers < FULL_LINE) {
      for (const event of this.queue[count++].events) {
        if (event.kind === "outcome") numbers += event.answers.length * (this.classes ?? 0);
      }
    }
    return this.queue.splice(0, count);
  }
}
