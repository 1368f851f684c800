import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { InputError } from "../src/errors.js";

/** Writes a whole file or nothing: beside its place first, then renamed. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const beside = `${path}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(beside, content);
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined); // where no file can be made, there is none to remove
    throw asInputError(error, path, "written", "give a place where you may write, with room on the disk");
  }
}

/**
 * Requires that `path` can be written later, before long work starts.
 * @throws InputError where it is a folder, or its folder cannot be made.
 */
export async function checkWritable(
  option: string,
  path: string,
  cure = "give a place where you may write",
): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) throw new InputError(`${option} ${path} is a folder; give the name of a file`);
  try {
    await mkdir(dirname(path), { recursive: true });
    const probe = `${path}.${process.pid}.tmp`;
    await writeFile(probe, "", { flag: "wx" });
    await rm(probe);
  } catch (error) {
    throw asInputError(error, path, "written", cure);
  }
}

/** Reads a whole file. */
export async function readWhole(option: string, path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw asInputError(error, `${option} ${path}`, "read", "give the path of a file that exists");
  }
}

/** What the file system refused, in one line. */
export function asInputError(error: unknown, what: string, action: string, cure: string): InputError {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return new InputError(`${what} cannot be ${action} (${code || message}); ${cure}`);
}
