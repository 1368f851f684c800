import { open } from "node:fs/promises";
import { InputError } from "../../errors.js";
import { fileFault } from "./file-fault.node.js";
import type { LedgerDamage, LedgerScan, LedgerScanOptions } from "./ledger-scan.js";
import { scanLedger } from "./open-ledger.node.js";
import type { LedgerEvent } from "./store.js";

/** What one run has asked, in images, but for `requests`. */
export interface RunAccount {
  readonly run: string;
  readonly requests: number;
  readonly asked: number;
  readonly answered: number;
  /** Failed, and may have been charged for. */
  readonly failed: number;
  /** Asked without an outcome: under way now, or when the run was killed. */
  readonly lost: number;
}

/** What a ledger's file holds. */
export interface LedgerContents {
  /** `undefined` where the file holds nothing but the beginning of its first line. */
  readonly teacher: string | undefined;
  /** Probabilities of an answer; `undefined` before the first. */
  readonly classes: number | undefined;
  /** Answers by query, in the order in which they came. */
  readonly answers: ReadonlyMap<string, Float32Array>;
  readonly runs: readonly RunAccount[];
  /** Sound lines, the header included. */
  readonly lines: number;
  /** Bytes of the sound lines. */
  readonly bytes: number;
  /** Bytes of a last line that is not whole: being written now, or when a run was killed. */
  readonly torn: number;
}

/**
 * Reads a ledger, also while a run writes it.
 * @throws InputError where it cannot be read, is damaged, or is no ledger
 */
export async function readLedger(path: string): Promise<LedgerContents> {
  return contents(path);
}

/**
 * Reads all that can be read of a ledger, also while a run writes it.
 * @returns what the sound lines hold, and what is damaged: none in a sound ledger
 * @throws InputError where it cannot be read or is no ledger
 */
export async function verifyLedger(path: string): Promise<LedgerContents & { readonly damage: LedgerDamage[] }> {
  const damage: LedgerDamage[] = [];
  const found = await contents(path, (place) => damage.push(place));
  return { ...found, damage };
}

async function contents(path: string, onDamage?: LedgerScanOptions["onDamage"]): Promise<LedgerContents> {
  const asks = new Map<string, { requests: number; asked: number }>();
  const onEvents = (events: readonly LedgerEvent[]) => {
    for (const event of events) {
      if (event.kind !== "ask") continue;
      const { requests, asked } = asks.get(event.run) ?? { requests: 0, asked: 0 };
      asks.set(event.run, { requests: requests + 1, asked: asked + event.count });
    }
  };
  const scan = await scanPath(path, { onDamage, onEvents });
  const runs = Array.from(asks, ([run, sums]): RunAccount => {
    const { answered, failed, open: lost } = scan.state.spending(run);
    return { run, ...sums, answered, failed, lost };
  });
  const { teacher, classes, state, lines, end: bytes, torn } = scan;
  return { teacher, classes, answers: state.known, runs, lines, bytes, torn };
}

/** Opens a file, reads it as a ledger, and closes it. */
async function scanPath(path: string, options: Partial<LedgerScanOptions>): Promise<LedgerScan> {
  try {
    const handle = await open(path, "r");
    try {
      return await scanLedger(handle, path, options);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${path} cannot be read (${fileFault(error)}); give the path of a ledger`);
  }
}
