/** The faulty server of `faulty-server.mjs`, with types: in this process, or as one of its own. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import * as plain from "./faulty-server.mjs";

/** What can be done to a request; `ok` does nothing. */
export type Fault =
  | "ok"
  /** Answers late, by `latency`. */
  | "latency"
  /** Refused without a look at the images, with Retry-After: the only fault that is never charged for. */
  | "429"
  | "500"
  /** With Retry-After as a date. */
  | "503"
  | "408"
  /** The connection ends before the answer. */
  | "drop-before"
  /** The connection ends in the middle of the answer. */
  | "drop-middle"
  /** An answer that comes byte by byte, and would take minutes. */
  | "slow-loris"
  /** Of the last image of the request: */
  | "wrong-length"
  | "nan"
  | "null"
  | "missing"
  | "unknown-id"
  | "contradiction"
  /** All answers twice. */
  | "duplicate"
  | "reordered"
  | "not-json"
  /** 400 with the server's message: ends a run. */
  | "refuse"
  /** 307 to another host: ends a run. */
  | "redirect";

export interface FaultyOptions {
  /** 0 takes any that is free. */
  readonly port?: number;
  readonly classes?: number;
  /** What its description says; nothing where absent. */
  readonly image?: readonly [number, number, number];
  readonly batch?: number;
  /** Statuses of its first descriptions, in turn. */
  readonly descriptions?: readonly number[];
  /** Done to the first requests, in turn. */
  readonly faults?: readonly Fault[];
  /** After those: faults at random, of all but `refuse` and `redirect`, to a share `rate` of the requests. */
  readonly seed?: number;
  readonly rate?: number;
  /** Milliseconds. */
  readonly latency?: number;
  /** Whole seconds, of 429. */
  readonly retryAfter?: number;
  /** Requests without it are refused with 401. */
  readonly token?: string;
  /** Body of `refuse`. */
  readonly refusal?: unknown;
}

export interface FaultyCounts {
  /** Images that were looked at: all but those of requests that were answered with 429. */
  readonly accepted: number;
  /** Images whose answers left whole and right. */
  readonly answered: number;
  readonly requests: number;
  readonly connections: number;
  /** Requests by what was done to them. */
  readonly happened: Readonly<Partial<Record<Fault, number>>>;
}

export interface FaultyServer extends FaultyCounts {
  readonly url: string;
  /** Connections that are open now, and at most were. */
  readonly open: number;
  readonly mostOpen: number;
  /** Begins, or goes on at the same port. */
  start(): Promise<FaultyServer>;
  /** Stops at once, in the middle of whatever is under way. */
  stop(): Promise<void>;
}

export const FaultyServer = plain.FaultyServer as unknown as new (options?: FaultyOptions) => FaultyServer;

/** What the server answers to an image (C H W, 8 bits). */
export const answerTo = plain.answerTo as (pixels: Uint8Array, classes?: number) => number[];

/** Faults that are drawn at random. */
export const allFaults = plain.allFaults as readonly Fault[];

export interface FaultyProcess {
  readonly url: string;
  readonly process: ChildProcess;
  /** Ends it, and gives what it counted. */
  stop(): Promise<FaultyCounts>;
}

/** Starts the server as a process of its own. */
export async function startFaultyProcess(options: FaultyOptions = {}): Promise<FaultyProcess> {
  const script = fileURLToPath(new URL("faulty-server.mjs", import.meta.url));
  const child = spawn(process.execPath, [script, JSON.stringify(options)], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => JSON.parse(String((await lines.next()).value)) as unknown;
  const { url } = (await line()) as { url: string };
  return {
    url,
    process: child,
    stop: async () => {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      const counts = (await line()) as FaultyCounts;
      await ended;
      return counts;
    },
  };
}
