import { mkdir, open, realpath, rename, rm, type FileHandle } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { InputError } from "../../errors.js";
import { fileFault } from "./file-fault.node.js";
import { encodeHeader } from "./ledger-file.js";
import { damageError, LedgerScan, type LedgerDamage, type LedgerScanOptions } from "./ledger-scan.js";
import { lockFile, type FileLock } from "./lock.node.js";
import { eachPiece } from "./pieces.node.js";

/** A ledger's file that this process has for itself. */
export interface OpenLedger {
  readonly handle: FileHandle;
  readonly lock: FileLock;
  readonly scan: LedgerScan;
}

/**
 * Opens a teacher's ledger for writing, or makes it, with its folder; cuts off a torn end.
 * @throws InputError where another process has it; it is damaged, no ledger, or another teacher's; or the file system
 * refuses
 */
export async function openLedger(path: string, teacher: string): Promise<OpenLedger> {
  let lock: FileLock | undefined;
  let handle: FileHandle | undefined;
  try {
    const made = await mkdir(dirname(path), { recursive: true });
    lock = await lockLedger(path);
    let scan: LedgerScan | undefined;
    handle = await open(path, "r+").catch(absent);
    if (handle) scan = await scanLedger(handle, path);
    if (!handle || scan?.teacher === undefined) {
      // There is none, or only the beginning of its first line.
      await handle?.close();
      handle = await create(path, teacher, made);
      scan = await scanLedger(handle, path);
    }
    if (scan.teacher !== teacher) {
      throw new InputError(
        `${path} is the ledger of the teacher ${JSON.stringify(scan.teacher)}; expected ${JSON.stringify(teacher)}: ` +
          "give each teacher a file of its own",
      );
    }
    if (scan.torn > 0) {
      await handle.truncate(scan.end);
      await handle.datasync();
    }
    return { handle, lock, scan };
  } catch (error) {
    await handle?.close();
    await lock?.release();
    if (error instanceof InputError) throw error;
    throw new InputError(
      `the ledger ${path} cannot be opened (${fileFault(error)}); give a place where you may read and write, with room`,
    );
  }
}

/** Locks a ledger against other writers; readers need no lock. */
export async function lockLedger(path: string): Promise<FileLock> {
  // One file may have several names: all of them are to meet at one lock.
  return lockFile(`${await realpath(path).catch(() => path)}.lock`, `the ledger ${path}`);
}

/**
 * Reads all of a ledger's file.
 * @param options without `onDamage`, the first damage is an error
 * @throws InputError where it is damaged, or no ledger of this version
 */
export async function scanLedger(
  handle: FileHandle,
  path: string,
  options: Partial<LedgerScanOptions> = {},
): Promise<LedgerScan> {
  const stop = (damage: LedgerDamage) => {
    throw damageError(path, damage);
  };
  const scan = new LedgerScan(path, { ...options, onDamage: options.onDamage ?? stop });
  const length = await eachPiece(handle, (piece) => {
    scan.take(piece);
  });
  scan.finish(length);
  return scan;
}

/** Writes bytes at a place in a file, and waits until they are on the disk. */
export async function writeDurably(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    // A disk that fills up takes a part first.
    done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
  await handle.datasync();
}

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return; // folders cannot be opened there, and names need no sync
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}

/**
 * Makes a ledger's file beside its place and renames it, so that it never lacks a whole header.
 * @param made the topmost folder that was made for it
 */
async function create(path: string, teacher: string, made: string | undefined): Promise<FileHandle> {
  const beside = `${path}.new`; // the lock keeps others from it
  const handle = await open(beside, "w+");
  try {
    await writeDurably(handle, encodeHeader(teacher), 0);
    await rename(beside, path);
    const top = made === undefined ? dirname(path) : dirname(made);
    for (let folder = resolve(dirname(path)); ; folder = dirname(folder)) {
      await syncFolder(folder);
      if (folder === resolve(top) || folder === dirname(folder)) break;
    }
    return handle;
  } catch (error) {
    await handle.close();
    await rm(beside, { force: true });
    throw error;
  }
}
