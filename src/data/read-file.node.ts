/** Reads files and folders from disk, in Node, with every fault told as an InputError. */
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { constants, gunzipSync } from "node:zlib";
import { InputError } from "../errors.js";
import { MAX_BYTES } from "./limits.js";

/** Compressed bytes from which a header is read, and the most that they may inflate to. */
const PREFIX_BYTES = 4096;
const PREFIX_INFLATED = 8 * 2 ** 20;
/** Deflate makes at most 1032 bytes of one. */
const DEFLATE_RATIO = 1032;

const REASONS: Record<string, string | undefined> = {
  ENOENT: "there is no such file or folder",
  EACCES: "its permissions forbid reading it",
  ENOTDIR: "a part of its path is a file, not a folder",
  ELOOP: "it is a link to itself",
};

function cannotRead(path: string, error: unknown): InputError {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  const message = `${path}: cannot be read (${REASONS[code] ?? code}); expected a file or folder of images, check the path`;
  return code === "ELOOP" ? new LinkCircleError(message) : new InputError(message);
}

/** A link leads to itself. */
class LinkCircleError extends InputError {}

export type PathKind = "file" | "folder" | "other" | "missing";

/** What `path` leads to, through links. @throws InputError if that cannot be told */
export async function pathKind(path: string): Promise<PathKind> {
  try {
    const found = await stat(path);
    return found.isFile() ? "file" : found.isDirectory() ? "folder" : "other";
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return "missing";
    throw cannotRead(path, error);
  }
}

/** Names in a folder, each list sorted by code unit; folders that are hidden (".…") or `__MACOSX` are left out. */
export interface FolderEntries {
  path: string;
  files: string[];
  folders: string[];
  /** Hidden files: those of file managers, and of archives from other systems. */
  hidden: string[];
}

/** Lists a folder, through links. @throws InputError if it cannot be read */
export async function listFolder(path: string): Promise<FolderEntries> {
  const entries: FolderEntries = { path, files: [], folders: [], hidden: [] };
  let names: string[];
  try {
    names = await readdir(path);
  } catch (error) {
    throw cannotRead(path, error);
  }
  for (const name of names.sort()) {
    const hidden = name.startsWith(".") || name === "__MACOSX";
    const kind = await entryKind(join(path, name));
    // A link to nothing is listed as a file, so that whoever reads it can say so.
    if (kind === "file" || kind === "missing") (hidden ? entries.hidden : entries.files).push(name);
    if (kind === "folder" && !hidden) entries.folders.push(name);
  }
  return entries;
}

/** {@link pathKind}, where a link that leads to itself is passed over. */
async function entryKind(path: string): Promise<PathKind> {
  try {
    return await pathKind(path);
  } catch (error) {
    if (error instanceof LinkCircleError) return "other";
    throw error;
  }
}

/** Where a folder lies, without links. @throws InputError if that cannot be told */
export async function realFolder(path: string): Promise<string> {
  return realpath(path).catch((error: unknown) => {
    throw cannotRead(path, error);
  });
}

/**
 * Lists a folder and all below it, through links; a folder that holds itself by a link is not entered again.
 * @param above folders that are not entered either, by {@link realFolder}
 * @returns each folder's entries, the outer ones before the inner ones
 * @throws InputError if one cannot be read
 */
export async function listTree(path: string, above: readonly string[] = []): Promise<FolderEntries[]> {
  const own = await realFolder(path);
  if (above.includes(own)) return [];
  const entries = await listFolder(path);
  const below: FolderEntries[] = [];
  for (const name of entries.folders) below.push(...(await listTree(join(path, name), [...above, own])));
  return [entries, ...below];
}

/** The same memory as a plain array: a Buffer's `slice()` does not copy, and its users here should not have to know. */
function plain({ buffer, byteOffset, byteLength }: Buffer<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The bytes of a file. @throws InputError if it is no file, cannot be read or is larger than an image set may be */
export async function readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  let size: number;
  let isFile: boolean;
  try {
    const found = await stat(path);
    [size, isFile] = [found.size, found.isFile()];
    // A pipe or a device may give nothing for ever, or never end.
    if (isFile && size <= MAX_BYTES) return plain(await readFile(path));
  } catch (error) {
    throw cannotRead(path, error);
  }
  if (!isFile) throw new InputError(`${path}: is no file, but a folder, a pipe or a device; check the path`);
  throw new InputError(`${path}: ${size} bytes, expected at most ${MAX_BYTES}; use a smaller file`);
}

function inflate(bytes: Uint8Array, path: string, limit: number, whole: boolean): Uint8Array<ArrayBuffer> {
  try {
    const finishFlush = whole ? constants.Z_FINISH : constants.Z_SYNC_FLUSH;
    return plain(gunzipSync(bytes, { maxOutputLength: limit, chunkSize: 2 ** 18, finishFlush }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw new InputError(
        `${path}: inflates to more than the ${limit} bytes that its header promises; the file is damaged, get it again`,
      );
    }
    const reason = (error as Error).message;
    throw new InputError(`${path}: not a whole gzip file (${reason}); it is cut short or damaged, get it again`);
  }
}

/**
 * The bytes of a file, inflated if it is gzip (by its content, whatever its name).
 * @param expectedLength tells, from the first bytes of the content, how long the whole is; inflating stops there, so
 *   that memory is bounded by what the content itself claims and by what a file of this size can hold
 * @throws InputError if the file cannot be read, is cut short, or holds more or less than it claims
 */
export async function readGzipOrPlain(
  path: string,
  expectedLength: (first: Uint8Array) => number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readBytes(path);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const expected = expectedLength(inflate(bytes.subarray(0, PREFIX_BYTES), path, PREFIX_INFLATED, false));
  if (expected > DEFLATE_RATIO * bytes.length) {
    throw new InputError(
      `${path}: its header promises ${expected} bytes, more than ${bytes.length} bytes of gzip can hold; the file is cut short or damaged, get it again`,
    );
  }
  return inflate(bytes, path, expected, true);
}
