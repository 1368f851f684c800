import type { LedgerStore, Teacher } from "../src/activemixup/index.js";
import { FileStore, ledgerFile } from "../src/activemixup/ledger/file-store.node.js";

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

/** Lets other processes have the ledgers. */
export async function closeStores(stores: readonly LedgerStore[]): Promise<void> {
  for (const store of stores) await store.close();
}
