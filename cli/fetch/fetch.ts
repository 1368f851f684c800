import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { lockFile } from "../../src/activemixup/ledger/lock.node.js";
import { InputError } from "../../src/errors.js";
import { asInputError } from "../files.js";
import type { Progress } from "../progress.js";
import type { Member, PublishedSet } from "./catalogue.js";
import { compare } from "./digest.js";
import { download, type DownloadManner } from "./download.js";
import { unpack } from "./unpack.js";

/** A file of a fetched set. */
export interface FetchedFile {
  readonly file: string;
  readonly bytes: number;
  /** The address that gave it; absent where it was there before. */
  readonly from?: string;
}

export interface FetchOptions extends Pick<DownloadManner, "patience" | "pause"> {
  /** Where the files go. */
  readonly folder: string;
  /** Addresses of folders, instead of those of the set. */
  readonly mirrors?: readonly string[] | undefined;
}

/**
 * Fetches a data set into a folder. Files that are there and right stay as they are; what was begun goes on; others are
 * never written over.
 * @returns the set's files
 * @throws InputError where no mirror gives a file, the folder cannot be written to, or holds other files of these names;
 *   what `signal` is aborted with
 */
export async function fetchSet(
  set: PublishedSet,
  { folder, mirrors = set.mirrors, patience, pause }: FetchOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<FetchedFile[]> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw asInputError(error, `--to ${folder}`, "made", "give a place where you may write");
  });
  const lock = await lockFile(join(folder, ".fetch.lock"), `the data set ${folder}`);
  const progressOf = (label: string) => (done: number, total: number) => {
    progress.update(label, kilobytes(done), kilobytes(total), "kB");
  };
  const get = (file: PublishedSet["files"][number]) =>
    download(file, mirrors, join(folder, file.name), {
      ...{ signal, patience, pause },
      onProgress: progressOf(`fetching ${file.name}`),
      onNotice: (line) => {
        progress.say(line);
      },
    });
  try {
    const wanted = set.members ?? set.files;
    const missing = await missingOf(folder, wanted, signal);
    const from = new Map<string, string>();
    if (set.members) {
      if (missing.size > 0) {
        const [archive] = set.files;
        const path = join(folder, archive.name);
        const url = (await compare(path, archive, signal)) === "right" ? path : await get(archive);
        await unpack(path, set.members, folder, signal, progressOf("unpacking"));
        await rm(path);
        for (const { name } of set.members) from.set(name, url);
      }
    } else {
      for (const file of set.files) if (missing.has(file.name)) from.set(file.name, await get(file));
    }
    return await Promise.all(
      wanted.map(async ({ name }) => {
        const file = join(folder, name);
        const url = from.get(name);
        return { file, bytes: (await stat(file)).size, ...(url === undefined ? {} : { from: url }) };
      }),
    );
  } finally {
    progress.end();
    await lock.release();
  }
}

/** Names of the files that are not there. @throws InputError if another file has such a name */
async function missingOf(folder: string, files: readonly Member[], signal: AbortSignal): Promise<Set<string>> {
  const missing = new Set<string>();
  for (const file of files) {
    const path = join(folder, file.name);
    const found = await compare(path, file, signal);
    if (found === "missing") missing.add(file.name);
    if (found === "other") {
      throw new InputError(`${path} is there, and is not the published file; remove it, or give another --to`);
    }
  }
  return missing;
}

/** Thousands of bytes, begun ones included. */
function kilobytes(bytes: number): number {
  return Math.ceil(bytes / 1000);
}
