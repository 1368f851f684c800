import { access } from "node:fs/promises";
import type { LedgerStore, Teacher } from "../src/activemixup/index.js";
import { FileStore, ledgerFile } from "../src/activemixup/ledger/file-store.node.js";
import { asInputError } from "./files.js";

/**
 * Opens the ledgers of teachers in a folder, one file each; makes what is missing.
 * @throws InputError where another process has one, or one is damaged
 */
export async function openStores(
  folder: string,
  teachers: readonly Teacher[],
  onNotice: (message: string) => void,
): Promise<LedgerStore[]> {
  const stores: LedgerStore[] = [];
  try {
    for (const { name, classes } of teachers) {
      stores.push(await FileStore.open(ledgerFile(folder, name), name, { classes, onNotice }));
    }
    return stores;
  } catch (error) {
    await closeStores(stores);
    throw error;
  }
}

/**
 * Requires the ledgers of a run that has finished rounds to be there: what it spent stands nowhere else.
 * @throws InputError that names one that is missing
 */
export async function requireLedgers(folder: string, teachers: readonly Teacher[]): Promise<void> {
  for (const { name } of teachers) {
    const path = ledgerFile(folder, name);
    await access(path).catch((error: unknown) => {
      throw asInputError(
        error,
        `the ledger ${path} of this run`,
        "found",
        "put it back: what the run spent stands there",
      );
    });
  }
}

/** Lets other processes have the ledgers. */
export async function closeStores(stores: readonly LedgerStore[]): Promise<void> {
  for (const store of stores) await store.close();
}
