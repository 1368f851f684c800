import { constants } from "node:fs";
import { copyFile, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { InputError } from "../../errors.js";
import { fileFault } from "./file-fault.node.js";
import { mayBeOf } from "./file-store.node.js";
import { encodeHeader, encodeLine } from "./ledger-file.js";
import type { LedgerDamage } from "./ledger-scan.js";
import { lockLedger, scanLedger, syncFolder } from "./open-ledger.node.js";
import type { LedgerEvent } from "./store.js";

/** What a repair did. */
export interface LedgerRepair {
  /** Where the file lies as it was. */
  readonly aside: string;
  readonly damage: readonly LedgerDamage[];
  /** Answers that were kept. */
  readonly answers: number;
}

/**
 * Sets a damaged ledger aside under another name and writes its sound lines anew. Answers whose request stood in a
 * damaged line are kept too, as asked by a run of the name `UNKNOWN_RUN`.
 * @param teacher for a file whose header is damaged
 * @returns `undefined` where nothing is damaged: the file is as it was
 * @throws InputError where a run has the ledger, the header is damaged and no teacher was given or one of whom the file
 * is not, or the file system refuses: the file is as it was
 */
export async function repairLedger(path: string, teacher?: string): Promise<LedgerRepair | undefined> {
  const beside = `${path}.new`; // the lock keeps others from it
  const lock = await lockLedger(path);
  try {
    const source = await open(path, "r");
    const target = await open(beside, "w+");
    try {
      const damage: LedgerDamage[] = [];
      const lines: (readonly LedgerEvent[])[] = [];
      const scan = await scanLedger(source, path, {
        onDamage: (place) => damage.push(place),
        onEvents: (events) => lines.push(events),
      });
      if (damage.length === 0) return undefined;
      const name = scan.teacher ?? teacher;
      if (name === undefined) {
        throw new InputError(
          `${path}: its header is damaged, and with it the teacher's name; give it by --teacher NAME`,
        );
      }
      if (!mayBeOf(path, name)) {
        throw new InputError(
          `${path}: its header is damaged, and by the digest in the file's name it is not of the teacher ${name}; ` +
            "give --teacher the name that the run's config.json has",
        );
      }
      await target.appendFile(encodeHeader(name));
      let number = 2;
      for (const events of lines) if (events.length > 0) await target.appendFile(encodeLine(number++, events));
      await target.sync();
      const aside = `${path}.damaged-${new Date().toISOString().replaceAll(":", "-")}`;
      // A copy, and then one rename: at no moment is there no ledger, which a run would take for an empty one.
      await copyFile(path, aside, constants.COPYFILE_EXCL);
      await rename(beside, path);
      await syncFolder(dirname(path));
      return { aside, damage, answers: scan.state.known.size };
    } finally {
      await source.close();
      await target.close();
      await rm(beside, { force: true });
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(
      `${path} cannot be repaired (${fileFault(error)}); see that its folder can be written and has room`,
    );
  } finally {
    await lock.release();
  }
}
