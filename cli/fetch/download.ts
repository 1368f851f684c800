import { open, rename, rm, stat } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { InputError } from "../../src/errors.js";
import { asInputError } from "../files.js";
import { version } from "../version.js";
import type { PublishedFile } from "./catalogue.js";
import { sha256Of } from "./digest.js";

/** How a download tells of itself, and when it gives up. */
export interface DownloadManner {
  readonly signal: AbortSignal;
  /** Bytes that are there, of all. */
  onProgress(done: number, total: number): void;
  onNotice(line: string): void;
  /** Milliseconds without a byte after which a server is given up. */
  readonly patience?: number;
  /** Milliseconds before the first repetition; each further one waits twice as long. */
  readonly pause?: number;
}

const PATIENCE = 30_000;
const PAUSE = 1000;
/** Attempts at one address, one after the other, that bring next to nothing. */
const ATTEMPTS = 3;
/** The share of a file that an attempt has to bring not to count as one of those. */
const SHARE = 0.01;

/** Why an attempt brought no file. */
class Fault extends Error {
  constructor(
    message: string,
    /** Whether the same server may do better when it is asked again. */
    readonly again: boolean,
  ) {
    super(message);
  }
}

const NETWORK: Record<string, readonly [string, boolean] | undefined> = {
  ENOTFOUND: ["its name is not known", false],
  EAI_AGAIN: ["its name is not known, or there is no network", false],
  ECONNREFUSED: ["no server answers", false],
  EHOSTUNREACH: ["it cannot be reached", false],
  ENETUNREACH: ["there is no network", false],
  ECONNRESET: ["the connection was cut", true],
  UND_ERR_SOCKET: ["the connection was cut", true],
  UND_ERR_CONNECT_TIMEOUT: ["no server answers", true],
};

/** What went wrong between here and a server. `fetch` hides it in causes. */
function networkFault(error: unknown): Fault {
  let inner = error as NodeJS.ErrnoException & { errors?: NodeJS.ErrnoException[] };
  while (inner.cause instanceof Error) inner = inner.cause;
  const { code = inner.errors?.[0]?.code ?? inner.message } = inner;
  const [text, again] = NETWORK[code] ?? ["the connection failed", true];
  return new Fault(`${text} (${code})`, again);
}

/** Bytes of the part that is there. */
async function sizeOf(part: string): Promise<number> {
  return stat(part).then(
    ({ size }) => size,
    () => 0,
  );
}

/** Whether the answer is the rest of the file, from byte `have` on; false where it is the whole. @throws Fault */
function isRest(response: Response, have: number, bytes: number): boolean {
  const { status, statusText, headers } = response;
  if (status === 206) {
    const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get("content-range") ?? "") ?? [];
    if (total === undefined) throw new Fault("sends a part of the file without saying which", false);
    if (total !== "*" && Number(total) !== bytes) throw new Fault(`has ${total} bytes, expected ${bytes}`, false);
    if (Number(start) === have) return true;
    throw new Fault(`sends another part than it was asked for`, false);
  }
  if (status !== 200)
    throw new Fault(`${status} ${statusText}`.trim(), status === 408 || status === 429 || status >= 500);
  const length = headers.get("content-length");
  // Of an answer that is compressed on the way, the length says nothing.
  if (length !== null && !headers.has("content-encoding") && Number(length) !== bytes) {
    throw new Fault(`has ${length} bytes, expected ${bytes}`, false);
  }
  return false;
}

/**
 * Asks for what is missing of the part, and adds what comes to it.
 * @throws Fault where that is not all; InputError where it cannot be written; what `signal` is aborted with
 */
async function fetchRest(url: string, part: string, { bytes }: PublishedFile, manner: DownloadManner): Promise<void> {
  const { signal, onProgress, patience = PATIENCE } = manner;
  let have = await sizeOf(part);
  if (have >= bytes) return;
  const idle = new AbortController();
  const late = () => {
    idle.abort();
  };
  let timer = setTimeout(late, patience);
  try {
    const response = await fetch(url, {
      headers: {
        "accept-encoding": "identity",
        "user-agent": `activemixup/${version}`,
        ...(have > 0 ? { range: `bytes=${have}-` } : {}),
      },
      signal: AbortSignal.any([signal, idle.signal]),
    });
    const rest = isRest(response, have, bytes);
    if (!rest) have = 0;
    const file = await open(part, rest ? "a" : "w").catch((error: unknown) => {
      throw asInputError(error, part, "written", "give a --to where you may write");
    });
    try {
      for await (const chunk of response.body!) {
        clearTimeout(timer);
        timer = setTimeout(late, patience);
        if (have + chunk.length > bytes) throw new Fault(`sends more than the ${bytes} bytes that are expected`, false);
        await file.writeFile(chunk).catch((error: unknown) => {
          throw asInputError(error, part, "written", "see that the disk has room; what is there is kept");
        });
        have += chunk.length;
        onProgress(have, bytes);
      }
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof Fault || error instanceof InputError) throw error;
    if (idle.signal.aborted) throw new Fault(`nothing came for ${patience / 1000} s`, true);
    throw networkFault(error);
  } finally {
    clearTimeout(timer);
    // Ends an answer of which nothing more is wanted.
    idle.abort();
  }
  if (have < bytes) throw new Fault(`the connection ended after ${have} of ${bytes} bytes`, true);
}

/** All that one address can give. @throws Fault with the last reason why that was not the file */
async function fromMirror(url: string, part: string, file: PublishedFile, manner: DownloadManner): Promise<void> {
  const { signal, onNotice, pause = PAUSE } = manner;
  for (let vain = 0; ;) {
    const before = await sizeOf(part);
    if (before > file.bytes) await rm(part);
    try {
      await fetchRest(url, part, file, manner);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      // A server that brings some of it each time is asked on; one that does not is given up.
      vain = (await sizeOf(part)) - before >= SHARE * file.bytes ? 0 : vain + 1;
      if (!error.again || vain >= ATTEMPTS) throw error;
      onNotice(`${url}: ${error.message}; trying again`);
      await wait(pause * 2 ** vain, undefined, { signal }).catch(() => {
        throw signal.reason;
      });
      continue;
    }
    const found = await sha256Of(part, signal);
    if (found === file.sha256) return;
    await rm(part);
    if (before === 0) throw new Fault(`other content: SHA-256 ${found}, expected ${file.sha256}`, false);
    onNotice(`${url}: what was there before and what came now are not the file; fetching all of it`);
  }
}

/**
 * Downloads a file to `path`, from the first mirror that gives it: beside its place first, in `path.part`, where a later
 * call goes on after the connection was cut or this was stopped; renamed when size and digest are right.
 * @param mirrors addresses of folders
 * @returns the address that gave it
 * @throws InputError that names each mirror and its fault, where none has it; what `signal` is aborted with
 */
export async function download(
  file: PublishedFile,
  mirrors: readonly string[],
  path: string,
  manner: DownloadManner,
): Promise<string> {
  const part = `${path}.part`;
  const faults: string[] = [];
  for (const mirror of mirrors) {
    const url = `${mirror.replace(/\/+$/, "")}/${file.name}`;
    try {
      await fromMirror(url, part, file, manner);
      await rename(part, path);
      return url;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      faults.push(`${url}: ${error.message}`);
      if (faults.length < mirrors.length) manner.onNotice(`${faults.at(-1)!}; trying the next mirror`);
    }
  }
  const kept = await sizeOf(part);
  const goOn =
    kept > 0 ? `; ${kept} of ${file.bytes} bytes are in ${part}, and the same command goes on from there` : "";
  throw new InputError(
    `${file.name} could not be fetched: ${faults.join("; ")}${goOn}; check the network, or give another address by --mirror`,
  );
}
