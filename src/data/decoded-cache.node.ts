/** Keeps decoded images in the user's cache folder, so that a folder of files is decoded once, in Node. */
import { createHash } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { join, resolve } from "node:path";
import { cacheFolder } from "../tensor/webgpu/cache.node.js";
import { decodeImages, type DecodedImages, type DecodeImagesOptions } from "./decode-images.node.js";
import type { UnreadableImage } from "./image-options.js";
import { MAX_BYTES } from "./limits.js";
import { sharpVersions } from "./sharp.node.js";

/** Counts the changes of this project after which the same files give other pixels. */
const DECODING = 1;

/** Bytes that all files of decoded images may have together; the ones that were used longest ago go. */
export const CACHE_BYTES = 8 * 2 ** 30;
/** Age of an unfinished file from which on no process can be writing it any more. */
const DEAD_MILLISECONDS = 24 * 3600 * 1000;

/** What a file begins with: a line that tells its kind, and the length of the JSON that follows. */
const MAGIC = "activemixup images 1\n";
const HEAD_BYTES = MAGIC.length + 4;
const DIGEST_BYTES = 32;
const NAME = /^images-[0-9a-f]{32}\.bin/;

interface Header {
  readonly key: string;
  readonly channels: 1 | 3;
  readonly height: number;
  readonly width: number;
  readonly kept: readonly number[];
  readonly unreadable: UnreadableImage[];
}

export interface CachedImagesOptions extends DecodeImagesOptions {
  readonly name: string;
  /** Whether the cache is used at all. */
  readonly cache?: boolean | undefined;
  onNotice?: ((line: string) => void) | undefined;
  /** The user's cache folder unless it is given. */
  readonly folder?: string | undefined;
}

/** Files that are asked about at once. */
const AT_ONCE = 64;

/** All that the pixels depend on, as a digest; nothing where a file is not there to be asked about. */
async function keyOf(paths: readonly string[], options: DecodeImagesOptions): Promise<string | undefined> {
  const { size, fit, channels, background, skipBad } = options;
  const settings = { size, fit, channels, background, skipBad, DECODING, sharp: await sharpVersions() };
  const hash = createHash("sha256").update(JSON.stringify(settings));
  try {
    for (let at = 0; at < paths.length; at += AT_ONCE) {
      const some = paths.slice(at, at + AT_ONCE);
      const found = await Promise.all(some.map((path) => stat(path, { bigint: true })));
      for (const [index, { size: bytes, mtimeNs, ctimeNs }] of found.entries()) {
        // Programs can set the first time back, and permissions do not change it: the second tells of both.
        hash.update(`\0${resolve(some[index])}\0${bytes}\0${mtimeNs}\0${ctimeNs}`);
      }
    }
  } catch {
    return undefined;
  }
  return hash.digest("hex");
}

function digest(parts: readonly Uint8Array[]): Buffer {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** What a file holds; nothing where it is damaged, or of another key. */
function parse(bytes: Buffer<ArrayBuffer>, key: string): DecodedImages | undefined {
  const end = bytes.length - DIGEST_BYTES;
  if (end < HEAD_BYTES || bytes.toString("latin1", 0, MAGIC.length) !== MAGIC) return undefined;
  if (!digest([bytes.subarray(0, end)]).equals(bytes.subarray(end))) return undefined;
  const start = HEAD_BYTES + bytes.readUInt32LE(MAGIC.length);
  const header = JSON.parse(bytes.toString("utf8", HEAD_BYTES, start)) as Header;
  const { channels, height, width, kept, unreadable } = header;
  if (header.key !== key || end - start !== kept.length * channels * height * width) return undefined;
  const pixels = new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
  return { channels, height, width, pixels, kept: Uint32Array.from(kept), unreadable };
}

/** Writes a whole file or nothing. @throws what the file system says */
async function write(file: string, key: string, images: DecodedImages): Promise<void> {
  const { pixels, kept, ...rest } = images;
  const header = Buffer.from(JSON.stringify({ key, ...rest, kept: Array.from(kept) } satisfies Header));
  const head = Buffer.alloc(HEAD_BYTES, MAGIC, "latin1");
  head.writeUInt32LE(header.length, MAGIC.length);
  const parts = [head, header, pixels];
  const beside = `${file}.${process.pid}.part`;
  try {
    const handle = await open(beside, "w");
    try {
      for (const part of [...parts, digest(parts)]) await handle.writeFile(part);
    } finally {
      await handle.close();
    }
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined); // where no file can be made, there is none to remove
    throw error;
  }
}

/**
 * Removes files of decoded images, those used longest ago first, until the others have at most `most` bytes; and what
 * processes left that were killed. That a file cannot be removed is no error.
 */
export async function trimCache(folder: string, most = CACHE_BYTES): Promise<void> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => NAME.test(name));
  const files = [];
  for (const name of names) {
    const file = join(folder, name);
    const found = await stat(file).catch(() => undefined);
    if (!found) continue;
    if (!name.endsWith(".part")) files.push({ file, bytes: found.size, used: found.mtimeMs });
    else if (Date.now() - found.mtimeMs > DEAD_MILLISECONDS) await rm(file, { force: true }).catch(() => undefined);
  }
  let bytes = 0;
  for (const one of files.sort((a, b) => b.used - a.used)) {
    bytes += one.bytes;
    if (bytes > most) await rm(one.file, { force: true }).catch(() => undefined);
  }
}

/**
 * {@link decodeImages}, once: what it gives is kept in a file whose name is a digest of the paths, sizes and times
 * (mtime and ctime) of the image files and of the settings. A file that is damaged is told of and made anew; a folder
 * that cannot be written to is told of.
 * @throws as {@link decodeImages}
 */
export async function cachedImages(paths: readonly string[], options: CachedImagesOptions): Promise<DecodedImages> {
  const { cache = false, onNotice, name, folder = cacheFolder() } = options;
  const key = cache ? await keyOf(paths, options) : undefined;
  if (key === undefined) return decodeImages(paths, options);
  const file = join(folder, `images-${key.slice(0, 32)}.bin`);
  const bytes = await readFile(file).catch(() => undefined);
  const found = bytes && parse(bytes, key);
  if (found) {
    const now = new Date();
    await utimes(file, now, now).catch(() => undefined); // it counts as used longer ago, no more
    onNotice?.(`${name}: ${found.kept.length} images as they were decoded before (${file}; --no-cache decodes anew)`);
    return found;
  }
  if (bytes) onNotice?.(`${name}: ${file} is damaged; the images are decoded anew`);
  const images = await decodeImages(paths, options);
  // Files of more bytes than that cannot be read at once.
  if (images.pixels.length > MAX_BYTES - 2 ** 28) return images;
  try {
    await mkdir(folder, { recursive: true });
    await write(file, key, images);
    await trimCache(folder);
  } catch (error) {
    const { code = (error as Error).message } = error as NodeJS.ErrnoException;
    onNotice?.(
      `${name}: the decoded images cannot be kept in ${folder} (${code}); the next time they are decoded anew`,
    );
  }
  return images;
}
