import { InputError } from "../../errors.js";
import { beginsWithLine, decodeHeader, decodeLine, isTornHeader, LEDGER_VERSION, LineFault } from "./ledger-file.js";
import { LedgerState, type LedgerEvent, type OutcomeEvent } from "./store.js";

/** A piece of a ledger's file: a line, or what stands behind the last line break. */
export interface Piece {
  /** Without the line break. Only valid until the next piece is read. */
  readonly bytes: Uint8Array;
  /** Where it begins in the file, in bytes. */
  readonly offset: number;
  /** Whether a line break ends it. */
  readonly ended: boolean;
}

/** Something in a ledger's file that no crash explains. */
export interface LedgerDamage {
  /** From 1. */
  readonly line: number;
  /** Where the line begins, in bytes. */
  readonly offset: number;
  /** What was found and what was expected. */
  readonly found: string;
}

export interface LedgerScanOptions {
  /** Hears of damage. To stop at it, throw. */
  readonly onDamage: (damage: LedgerDamage) => void;
  /** Hears of what each sound line adds; at the end, of answers whose requests stood in damaged lines. */
  readonly onEvents?: ((events: readonly LedgerEvent[]) => void) | undefined;
}

/** The run of requests whose own run stood in a damaged line. */
export const UNKNOWN_RUN = "(unknown: its line was damaged)";

/**
 * Reads a ledger's file piece by piece. Only the last piece can be torn: a write makes one line, and nothing is written
 * behind a write that failed. So a bad last piece is dropped, and a bad piece with another behind it is damage.
 */
export class LedgerScan {
  readonly state = new LedgerState();
  /** Probabilities of an answer; `undefined` before the first. */
  classes: number | undefined;
  /** From the header; `undefined` where it is torn or damaged. */
  teacher: string | undefined;
  /** Sound lines, the header included. */
  lines = 0;
  /** Number for the next line. */
  nextNumber = 1;
  /** Where the last sound line ends, in bytes. */
  end = 0;
  /** Bytes behind it, once all is read: of a line that was not written whole. */
  torn = 0;
  private piece = 0;
  private suspect: LedgerDamage | undefined;
  private damaged = false;
  /** The first line is no header of a ledger: the file is something else, unless lines of a ledger follow. */
  private foreign = false;
  /** Outcomes whose requests stood in damaged lines. */
  private readonly orphans: OutcomeEvent[] = [];

  /** @param path of the file, for messages */
  constructor(
    private readonly path: string,
    private readonly options: LedgerScanOptions,
  ) {}

  /**
   * Takes the next piece.
   * @throws InputError where the file is no ledger, or one of another version; what `onDamage` throws
   */
  take({ bytes, offset, ended }: Piece): void {
    this.piece++;
    const place = { line: this.piece, offset };
    // What was bad is damage, now that something stands behind it.
    const { suspect } = this;
    if (this.foreign && decodeLine(bytes) instanceof LineFault) throw this.noLedger();
    this.foreign = false;
    if (suspect) this.report(suspect);
    this.suspect = undefined;
    const fault = this.piece === 1 ? this.takeHeader(bytes, ended) : this.takeLine(bytes, ended, place);
    if (fault && this.piece > 1 && beginsWithLine(bytes)) {
      this.report({ ...place, found: "no line break ends it; expected one behind its events" });
    } else if (fault) this.suspect = { ...place, found: fault.found };
    else this.end = offset + bytes.length + 1;
  }

  /**
   * To be called behind the last piece.
   * @param length of the file in bytes
   * @throws InputError where the file is no ledger
   */
  finish(length: number): void {
    if (this.foreign) throw this.noLedger();
    this.torn = length - this.end;
    for (const orphan of this.orphans) this.adopt(orphan);
  }

  private noLedger(): InputError {
    return new InputError(
      `${this.path} is no ledger: it does not begin with one's header; name a file that this command wrote`,
    );
  }

  private report(damage: LedgerDamage): void {
    this.damaged = true;
    this.options.onDamage(damage);
  }

  private takeHeader(bytes: Uint8Array, ended: boolean): LineFault | undefined {
    if (!ended && isTornHeader(bytes)) return new LineFault("it does not end");
    const header = decodeHeader(bytes);
    if (header === "no-ledger") {
      this.foreign = true;
      return new LineFault("it is no header of a ledger");
    }
    if (header instanceof LineFault) return header;
    if ("version" in header) {
      throw new InputError(
        `${this.path} is a ledger of version ${header.version}; this release reads version ${LEDGER_VERSION}: take the release that wrote it`,
      );
    }
    this.teacher = header.teacher;
    this.lines = 1;
    this.nextNumber = 2;
    return undefined;
  }

  private takeLine(bytes: Uint8Array, ended: boolean, place: Omit<LedgerDamage, "found">): LineFault | undefined {
    const line = ended ? decodeLine(bytes) : new LineFault("it does not end");
    if (line instanceof LineFault) return line;
    const { number, events } = line;
    // Behind a bad piece the numbers tell nothing: it may have been several lines.
    if (number !== this.nextNumber && !(this.damaged && number > this.nextNumber)) {
      const why = number > this.nextNumber ? "lines are missing before it" : "it was there before";
      this.report({ ...place, found: `it is line ${number}; expected line ${this.nextNumber}: ${why}` });
      if (number < this.nextNumber) return undefined;
    }
    const sound = events.filter((event) => {
      const fault = this.wrongClasses(event) ?? this.state.fault(event);
      if (fault === undefined) {
        this.state.apply(event);
        return true;
      }
      if (!this.damaged) this.report({ ...place, found: fault });
      if (event.kind === "outcome") this.orphans.push(event);
      return false;
    });
    this.lines++;
    this.nextNumber = number + 1;
    this.options.onEvents?.(sound);
    return undefined;
  }

  private wrongClasses(event: LedgerEvent): string | undefined {
    if (event.kind !== "outcome") return undefined;
    for (const { query, probabilities } of event.answers) {
      this.classes ??= probabilities.length;
      if (probabilities.length !== this.classes) {
        return `query ${query} has ${probabilities.length} probabilities; expected ${this.classes}, as those before it`;
      }
    }
    return undefined;
  }

  /** Keeps the answers of an outcome whose request was in a damaged line: they are paid for. */
  private adopt(orphan: OutcomeEvent): void {
    const seen = new Set<string>();
    const answers = orphan.answers.filter(({ query, probabilities }) => {
      const isNew = !seen.has(query) && !this.state.known.has(query) && probabilities.length === this.classes;
      seen.add(query);
      return isNew;
    });
    if (answers.length === 0) return;
    // Behind all others: its own number may be below those that came since.
    const ask = this.state.lastAsk + 1;
    const events: LedgerEvent[] = [
      { kind: "ask", ask, run: UNKNOWN_RUN, count: answers.length + orphan.failed },
      { ...orphan, ask, answers },
    ];
    for (const event of events) this.state.apply(event);
    this.options.onEvents?.(events);
  }
}

/** An error for damage that a file cannot be opened with. */
export function damageError(path: string, { line, offset, found }: LedgerDamage): InputError {
  return new InputError(
    `${path} is damaged in line ${line} (from byte ${offset}): ${found}; put a sound copy in its place, see all damage ` +
      "with `activemixup ledger verify`, or keep the sound lines with `activemixup ledger verify --repair`",
  );
}
