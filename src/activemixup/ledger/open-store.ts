import type { FileStoreOptions } from "./file-store.node.js";
import type { LedgerStore } from "./store.js";

/**
 * Opens the file that keeps a teacher's answers, or makes it with its folder, in Node. A torn last line is cut off.
 * @throws InputError where another process has it; it is damaged, no ledger, or of another teacher, version or number
 * of classes; or the file system refuses
 */
export async function openFileStore(path: string, teacher: string, options?: FileStoreOptions): Promise<LedgerStore> {
  const { FileStore } = await import("./file-store.node.js");
  return FileStore.open(path, teacher, options);
}
