import { open, type FileHandle } from "node:fs/promises";
import { hostname } from "node:os";
import { InputError } from "../../errors.js";
import { fileFault } from "./file-fault.node.js";

/** A lock that this process holds. */
export interface FileLock {
  /** Lets others have it. The file stays: removing it would let two processes lock two files of one name. */
  release(): Promise<void>;
}

/** Another holder has the lock: waiting may help. */
export class LockedError extends InputError {}

/**
 * Locks a file, which is made where there is none, until it is released or this process ends, however it ends: the
 * kernel holds the lock, so that a file left over from a killed process is no obstacle.
 * @param what is locked, for the message: `the run runs/mnist`
 * @throws LockedError where another holder has it; InputError where the file cannot be made
 */
export async function lockFile(path: string, what: string): Promise<FileLock> {
  let handle: FileHandle | undefined;
  try {
    // Loaded here: it is native code, which readers of ledgers can do without.
    const { tryLock } = await import("fs-native-extensions");
    // Makes the file, and never cuts what its holder wrote.
    handle = await open(path, "a+");
    if (!tryLock(handle.fd)) {
      throw new LockedError(
        `${what} is in use by ${await holderOf(handle)}; wait until that ends, end it, or choose another place`,
      );
    }
    await handle.truncate(0);
    const started = new Date().toISOString();
    await handle.appendFile(`${JSON.stringify({ pid: process.pid, host: hostname(), started })}\n`);
    const held = handle;
    return { release: () => held.close() };
  } catch (error) {
    await handle?.close();
    if (error instanceof InputError) throw error;
    throw new InputError(
      `${path} cannot be locked (${fileFault(error)}); give a place where you may write, with room, on a file system ` +
        "that has locks",
    );
  }
}

/** Who holds a lock, as it wrote when it got it. */
async function holderOf(handle: FileHandle): Promise<string> {
  try {
    const bytes = new Uint8Array(1024);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
    const { pid, host, started } = JSON.parse(new TextDecoder().decode(bytes.subarray(0, bytesRead))) as Holder;
    return `process ${pid} on ${host}, since ${started}`;
  } catch {
    return "another process"; // it has the lock, and has not written yet
  }
}

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly started: string;
}
