import { createReadStream } from "node:fs";
import {
  access,
  constants,
  mkdir,
  open,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { InputError } from "../src/errors.js";

/** What goes into a file, at once or in parts. */
type Content = string | Uint8Array | Iterable<string>;

/**
 * Writes a whole file or nothing, also if the power fails: beside its place first, then renamed. Of a link, the file
 * that it leads to is replaced; into a device or a pipe it is written as it comes.
 * @param cure of an error
 * @throws InputError where it cannot be written
 */
export async function writeWhole(
  path: string,
  content: Content,
  cure = "give a place where you may write, with room on the disk",
): Promise<void> {
  try {
    if (await isStream(path)) await writeFile(path, content);
    else await replace(await realPlace(path), content);
  } catch (error) {
    throw asInputError(error, path, "written", cure);
  }
}

async function replace(path: string, content: Content): Promise<void> {
  const beside = `${path}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeDurably(beside, "w", content);
    await rename(beside, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined); // where no file can be made, there is none to remove
    throw error;
  }
}

/** Whether a path leads to a device, a pipe or the like, in whose place no file may be put. */
async function isStream(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && !found.isFile() && !found.isDirectory();
}

/** Where a file is, or would be if it were written: links are followed. */
async function realPlace(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const folder = dirname(path);
    // What else is wrong with a path is told when it is written.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || folder === path) return path;
    const target = await readlink(path).catch(() => undefined);
    if (target !== undefined) return realPlace(resolve(await realpath(folder), target));
    return join(await realPlace(folder), basename(path));
  }
}

/** Adds to the end of a file; durable once this resolves. Gives the file's length. */
export async function appendDurably(
  path: string,
  content: Content,
  cure = "see that the disk has room",
): Promise<number> {
  try {
    return await writeDurably(path, "a", content);
  } catch (error) {
    throw asInputError(error, path, "written", cure);
  }
}

async function writeDurably(path: string, flags: "a" | "w", content: Content): Promise<number> {
  const file = await open(path, flags);
  try {
    await writeFile(file, content);
    await file.sync();
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

/** Makes the names in a folder durable; some systems do so unasked and cannot be asked. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
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
    if (await isStream(path)) return await access(path, constants.W_OK);
    const place = await realPlace(path);
    await mkdir(dirname(place), { recursive: true });
    const probe = `${place}.${process.pid}.tmp`;
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
    if ((error as NodeJS.ErrnoException).code === "EISDIR") {
      throw new InputError(`${option} ${path} is a folder; give the path of a file`);
    }
    throw asInputError(error, `${option} ${path}`, "read", "give the path of a file that exists");
  }
}

/** The lines of a file's first `length` bytes, at least 1, each with its end: one after the other, however long the file is. */
export async function* linesOf(path: string, length: number): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const part of createReadStream(path, { end: length - 1 }) as AsyncIterable<Buffer>) {
    const lines = (rest + decoder.decode(part, { stream: true })).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

/** What the file system refused, in one line. */
export function asInputError(error: unknown, what: string, action: string, cure: string): InputError {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return new InputError(`${what} cannot be ${action} (${code || message}); ${cure}`);
}

/** The value that JSON text means; undefined, which no JSON means, where it is none. */
export function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
