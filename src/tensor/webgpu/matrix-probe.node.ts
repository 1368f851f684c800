import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import {
  formatMatrix,
  MATRIX_ENABLES,
  MATRIX_FEATURE,
  matrixConstants,
  matrixDialects,
  matrixSource,
  type MatrixSizes,
  type SubgroupMatrix,
} from "../subgroup-matrix/index.js";
import { cacheFile, cacheFolder, readCache, writeCache } from "./cache.node.js";
import childSource from "./matrix-probe.child.mjs?raw";
import probeSource from "./matrix-probe.wgsl?raw";
import { dawnVersion } from "./dawn.node.js";
import type { MatrixAdapter, MatrixVerdict } from "./matrices.js";
import { assemble } from "./pipelines.js";

/**
 * Which subgroup matrices work here: WGSL's extension for them is in flux, and drivers have crashed on it, so that one
 * small product is tried in a process of its own before a kernel relies on it.
 */

/** What the child process is given; see matrix-probe.child.mjs. */
interface Job {
  readonly dawn: string;
  readonly options: readonly string[];
  readonly features: readonly string[];
  readonly code: string;
  readonly size: number;
}

export interface ProbeOptions {
  /** Options for Dawn's `create()`: those of the process that will use the matrices. */
  readonly options: readonly string[];
  /** Where the answer is remembered. */
  readonly folder?: string;
  /** The child's program and how long it may take, in milliseconds. */
  readonly child?: string;
  readonly timeout?: number;
}

/** Name of the answers in the cache. */
const CACHE = "subgroup-matrix";

const TIMEOUT = 30_000;

const FEATURES = ["shader-f16", "subgroups", MATRIX_FEATURE];

/** Answers of this process, for where the cache cannot be written to. */
const answers = new Map<string, Promise<MatrixVerdict>>();

/**
 * The first pair of sizes and dialect with which a small product comes out right on the adapter, tried in child
 * processes: the largest of the sizes that it lists first. The answer is remembered for this adapter, driver, release of
 * Dawn and its options, in a file of the user's cache.
 */
export function probeMatrices(adapter: MatrixAdapter, options: ProbeOptions): Promise<MatrixVerdict> {
  const folder = options.folder ?? cacheFolder();
  const key = cacheKey(adapter, options);
  const id = `${folder}\n${key}`;
  let answer = answers.get(id);
  if (!answer) {
    answer = answerOnce(adapter, options, folder, key);
    answers.set(id, answer);
  }
  return answer;
}

async function answerOnce(
  adapter: MatrixAdapter,
  options: ProbeOptions,
  folder: string,
  key: string,
): Promise<MatrixVerdict> {
  const remembered = readCache(CACHE, key, folder);
  if (isVerdict(remembered)) return remembered;
  const found = await tryAll(adapter, options);
  const file = cacheFile(CACHE, key, folder);
  const verdict = found.matrix ? found : { why: `${found.why} (remembered in ${file}: remove it to try again)` };
  return writeCache(CACHE, key, verdict, folder) ? verdict : found;
}

async function tryAll(adapter: MatrixAdapter, options: ProbeOptions): Promise<MatrixVerdict> {
  const failures: string[] = [];
  for (const sizes of adapter.sizes) {
    for (const dialect of matrixDialects) {
      const program = probeProgram(sizes, adapter.subgroupSize, matrixSource(dialect));
      const why = await tryProgram(program, FEATURES, options);
      if (why === undefined) return { matrix: { ...sizes, dialect }, why: "a trial product came out right" };
      failures.push(`${formatMatrix(sizes)} (${dialect}): ${why.message}`);
      // A device that hangs may go on hanging: what is behind it in the list is not worth the wait.
      if (why.hung) return { why: failures.join("; ") };
    }
  }
  return { why: failures.join("; ") };
}

/** Why a program that a child process runs does not give the numbers that it has to; `undefined` where it does. */
export async function tryProgram(
  { code, expected }: { code: string; expected: readonly number[] },
  features: readonly string[],
  { options, child = childSource, timeout = TIMEOUT }: ProbeOptions,
): Promise<{ message: string; hung: boolean } | undefined> {
  const job = { dawn: dawnUrl(), options, features, code, size: expected.length };
  const { output, ended, hung } = await runChild(child, job, timeout);
  if (hung) return { message: `no answer in ${timeout / 1000} s`, hung };
  const answer = parse(output);
  if (answer?.error !== undefined) return { message: String(answer.error), hung };
  if (!Array.isArray(answer?.values)) return { message: `the trial process ${ended} without an answer`, hung };
  const values: unknown[] = answer.values;
  const right = values.length === expected.length && expected.every((value, index) => value === values[index]);
  return right ? undefined : { message: "wrong numbers", hung };
}

/**
 * The probe's WGSL and the numbers that it has to write.
 * @param modules those that declare the matrices
 */
export function probeProgram(
  sizes: MatrixSizes,
  subgroupSize: number,
  modules: readonly string[],
  enables = MATRIX_ENABLES,
): { code: string; expected: number[] } {
  const { m, n, k } = sizes;
  const constants = { ...matrixConstants(sizes), SUBGROUP_SIZE: subgroupSize };
  const code = assemble({ name: "probe", enables, constants, source: [...modules, probeSource] });
  const expected: number[] = [];
  for (let i = 0; i < 2 * m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let p = 0; p < 2 * k; p++) sum += ((3 * i + 5 * p) % 32) * ((7 * p + j) % 31);
      expected.push(sum);
    }
  }
  return { code, expected };
}

interface ChildEnd {
  readonly output: string;
  /** How it ended, in words. */
  readonly ended: string;
  readonly hung: boolean;
}

function runChild(child: string, job: Job, timeout: number): Promise<ChildEnd> {
  return new Promise((resolve) => {
    const spawned = spawn(process.execPath, ["--input-type=module", "--eval", child], {
      stdio: ["pipe", "pipe", "ignore"],
      windowsHide: true,
    });
    let output = "";
    let hung = false;
    const timer = setTimeout(() => {
      hung = true;
      spawned.kill("SIGKILL");
    }, timeout);
    const end = (ended: string) => {
      clearTimeout(timer);
      resolve({ output, ended, hung });
    };
    spawned.on("error", (error) => {
      end(`did not start (${error.message})`);
    });
    spawned.on("close", (code, signal) => {
      end(signal ? `was ended by ${signal}` : `ended with ${code}`);
    });
    spawned.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    // A child that ends before it has read everything breaks the pipe; how it ended says enough.
    spawned.stdin.on("error", () => undefined);
    spawned.stdin.end(JSON.stringify(job));
  });
}

/** What the child printed last, behind what Dawn may have said: an object, or `undefined` where it is none. */
function parse(output: string): { values?: unknown; error?: unknown } | undefined {
  try {
    const answer: unknown = JSON.parse(output.trim().split("\n").at(-1) ?? "");
    return typeof answer === "object" && answer !== null ? answer : undefined;
  } catch {
    return undefined;
  }
}

/** Where the child finds Dawn: it has no place of its own from which to look for it. */
function dawnUrl(): string {
  return pathToFileURL(createRequire(import.meta.url).resolve("webgpu")).href;
}

function cacheKey(
  { name, subgroupSize, sizes }: MatrixAdapter,
  { options, child = childSource }: ProbeOptions,
): string {
  const programs = [child, probeSource, ...matrixDialects.flatMap(matrixSource)].join("\n");
  const tried = [`subgroups of ${subgroupSize}`, ...sizes.map(formatMatrix)].join(" ");
  const checksum = createHash("sha256").update(programs).digest("hex").slice(0, 16);
  return [name, tried, dawnVersion(), ...options, checksum].join("; ");
}

/** Whether what was remembered is an answer: the file is the user's to edit. */
function isVerdict(value: unknown): value is MatrixVerdict {
  const { why, matrix } = (value ?? {}) as { why?: unknown; matrix?: Partial<SubgroupMatrix> | null };
  if (typeof why !== "string") return false;
  if (matrix === undefined) return true;
  return (
    matrix !== null &&
    [matrix.m, matrix.n, matrix.k].every(Number.isInteger) &&
    matrixDialects.some((dialect) => dialect === matrix.dialect)
  );
}
