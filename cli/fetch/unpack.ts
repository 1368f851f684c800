import { createReadStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { createGunzip } from "node:zlib";
import { InputError } from "../../src/errors.js";
import { asInputError } from "../files.js";
import type { Member } from "./catalogue.js";

const BLOCK = 512;
/** The most bytes of a file whose size is not known before: a list of names. */
const SMALL = 2 ** 16;
const REGULAR = ["0", "\0"];

/** Bytes of a stream, as many as are asked for. */
class Source {
  private rest: Uint8Array = new Uint8Array();
  private readonly chunks: AsyncIterator<Uint8Array>;

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.chunks = stream[Symbol.asyncIterator]();
  }

  /** The next bytes, at least one and at most `most`; nothing at the end. */
  async some(most: number): Promise<Uint8Array | undefined> {
    while (this.rest.length === 0) {
      const { done, value } = await this.chunks.next();
      if (done) return undefined;
      this.rest = value;
    }
    const taken = this.rest.subarray(0, most);
    this.rest = this.rest.subarray(taken.length);
    return taken;
  }

  /** Gives the next `length` bytes to `use`, in parts. @returns whether there were as many */
  async each(length: number, use: (part: Uint8Array) => Promise<unknown>): Promise<boolean> {
    for (let left = length; left > 0;) {
      const part = await this.some(left);
      if (!part) return false;
      await use(part);
      left -= part.length;
    }
    return true;
  }

  /** A block; nothing at the end. */
  async block(): Promise<Buffer | undefined> {
    const parts: Uint8Array[] = [];
    const whole = await this.each(BLOCK, (part) => Promise.resolve(parts.push(Uint8Array.from(part))));
    return whole ? Buffer.concat(parts) : undefined;
  }
}

interface Entry {
  readonly name: string;
  readonly bytes: number;
  readonly regular: boolean;
}

/** What a header block says; nothing for the empty block at an archive's end. */
function parseHeader(block: Buffer, damaged: (what: string) => InputError): Entry | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  const text = (start: number, end: number) => block.toString("latin1", start, end).replace(/\0.*$/s, "");
  const octal = (start: number, end: number) => {
    const digits = text(start, end).trim();
    if (!/^[0-7]+$/.test(digits)) throw damaged("has a header that cannot be read");
    return parseInt(digits, 8);
  };
  // The sum of all bytes, those of the sum itself taken for spaces.
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  if (sum !== octal(148, 156)) throw damaged("has a header whose checksum is wrong");
  const prefix = text(257, 262) === "ustar" ? text(345, 500) : "";
  const name = prefix ? `${prefix}/${text(0, 100)}` : text(0, 100);
  return { name, bytes: octal(124, 136), regular: REGULAR.includes(block.toString("latin1", 156, 157)) };
}

/** Whether a name leads out of the folder that an archive is unpacked in. */
function leadsOut(name: string): boolean {
  return /^([/\\]|[a-z]:)/i.test(name) || name.split(/[/\\]/).includes("..");
}

/**
 * Takes files out of a tar archive that is compressed by gzip: each beside its place first, and all renamed once all are
 * whole. No path comes from the archive: a file is known by its name without folders, and goes to `folder` under it.
 * @throws InputError if the archive is damaged, lacks one of the files or has it in another size, or holds any name that
 *   leads out of it; nothing is left then. What `signal` is aborted with.
 */
export async function unpack(
  archive: string,
  members: readonly Member[],
  folder: string,
  signal: AbortSignal,
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  const damaged = (what: string) =>
    new InputError(`${archive} ${what}; remove it, and fetch it again or give another --mirror`);
  const parts = new Map(members.map(({ name }) => [name, join(folder, `${name}.part`)]));
  const found = new Set<string>();
  const total = members.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
  let done = 0;
  const take = async (source: Source, part: string, bytes: number) => {
    const file = await open(part, "w");
    try {
      const whole = await source.each(bytes, async (piece) => {
        await file.writeFile(piece);
        onProgress(Math.min((done += piece.length), total), total);
      });
      if (!whole) throw damaged("is cut short");
      await file.sync();
    } finally {
      await file.close();
    }
  };
  const compressed = createReadStream(archive, { signal });
  const stream = createGunzip();
  compressed.on("error", (error) => stream.destroy(error));
  try {
    const source = new Source(compressed.pipe(stream));
    for (let block = await source.block(); block; block = await source.block()) {
      const entry = parseHeader(block, damaged);
      // What follows the end is read for the checksum of the whole.
      if (!entry) continue;
      if (leadsOut(entry.name)) throw damaged(`holds ${JSON.stringify(entry.name)}, which leads out of it`);
      const name = entry.name.slice(entry.name.lastIndexOf("/") + 1);
      const member = members.find((one) => one.name === name);
      const padding = (BLOCK - (entry.bytes % BLOCK)) % BLOCK;
      const skip = () => Promise.resolve();
      if (member && entry.regular && !found.has(name)) {
        if (entry.bytes !== (member.bytes ?? Math.min(entry.bytes, SMALL))) {
          throw damaged(`holds ${name} of ${entry.bytes} bytes, expected ${member.bytes ?? `at most ${SMALL}`}`);
        }
        await take(source, parts.get(name)!, entry.bytes);
        found.add(name);
      } else if (!(await source.each(entry.bytes, skip))) throw damaged("is cut short");
      await source.each(padding, skip);
    }
    const missing = members.filter(({ name }) => !found.has(name)).map(({ name }) => name);
    if (missing.length > 0) throw damaged(`lacks ${missing.join(", ")}`);
    for (const [name, part] of parts) await rename(part, join(folder, name));
  } catch (error) {
    for (const part of parts.values()) await rm(part, { force: true }).catch(() => undefined);
    if (signal.aborted) throw signal.reason;
    if (error instanceof InputError) throw error;
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code.startsWith("Z_") || code === "ERR_STREAM_PREMATURE_CLOSE")
      throw damaged(`is no whole gzip file (${code})`);
    throw asInputError(error, archive, "unpacked", "see that the disk has room");
  } finally {
    compressed.destroy();
    stream.destroy();
  }
}
