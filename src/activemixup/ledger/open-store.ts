import type { FileStoreOptions } from "./file-store.node.js";
import type { LedgerStore } from "./store.js";

/**
 * Opens the file that keeps a teacher's answers, or makes it, in Node: see `FileStore` in `file-store.node.ts`.
 * @throws InputError where another process has it; it is damaged, no ledger, or another teacher's; or the file system
 * refuses
 */
export async function openFileStore(path: string, teacher: string, options?: FileStoreOptions): Promise<LedgerStore> {
  const { FileStore } = await import("./file-store.node.js");
  return FileStore.open(path, teacher, options);
}
