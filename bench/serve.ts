/** Queries through `activemixup serve` on loopback, as a run asks them: with the ledger on disk. */
import { spawn, type ChildProcess } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Ledger, openHttpTeacher } from "../src/activemixup/index.js";
import { FileStore, ledgerFile } from "../src/activemixup/ledger/file-store.node.js";
import { encodeNetwork, Network, type NetworkSpec } from "../src/nn/index.js";
import type { Device } from "../src/tensor/index.js";

/** What was found. */
export interface ServeReport {
  readonly queries: number;
  readonly seconds: number;
  readonly queriesPerSecond: number;
  /** Queries a second in each tenth of the run. */
  readonly tenths: readonly number[];
  /** Resident memory in bytes, before the first query and after the last; absent where the system does not tell. */
  readonly client: MemoryUse;
  readonly server: MemoryUse;
  /** Bytes. */
  readonly ledger: number;
}

interface MemoryUse {
  readonly before?: number | undefined;
  readonly after?: number | undefined;
}

const spec: NetworkSpec = {
  architecture: "lenet5",
  image: { channels: 1, height: 28, width: 28 },
  classes: 10,
  mean: [0.5],
  deviation: [0.3],
};

/**
 * Serves a LeNet-5 with random weights from a process of its own and asks it about noise, no image twice.
 * @param queries a multiple of ten
 */
export async function measureServe(
  device: Device,
  queries: number,
  onProgress: (done: number) => void,
): Promise<ServeReport> {
  const folder = mkdtempSync(join(tmpdir(), "activemixup-serve-"));
  let server: ChildProcess | undefined;
  try {
    const model = join(folder, "teacher.safetensors");
    const network = new Network(device, spec, 1);
    writeFileSync(model, await encodeNetwork(network));
    network.dispose();
    const started = await startServe(model);
    server = started.process;
    const teacher = await openHttpTeacher(started.url);
    const path = ledgerFile(folder, teacher.name);
    const store = await FileStore.open(path, teacher.name);
    const ledger = new Ledger(teacher, store, { run: "bench", budget: queries, countFailed: true });
    const before = { client: residentBytes(process.pid), server: residentBytes(server.pid!) };
    const tenths: number[] = [];
    const start = performance.now();
    for (let tenth = 0; tenth < 10; tenth++) {
      const began = performance.now();
      await ask(ledger, queries / 10, (done) => {
        onProgress((tenth * queries) / 10 + done);
      });
      tenths.push(queries / 10 / ((performance.now() - began) / 1000));
    }
    const seconds = (performance.now() - start) / 1000;
    const after = { client: residentBytes(process.pid), server: residentBytes(server.pid!) };
    await store.close();
    return {
      ...{ queries, seconds, queriesPerSecond: queries / seconds, tenths },
      client: { before: before.client, after: after.client },
      server: { before: before.server, after: after.server },
      ledger: statSync(path).size,
    };
  } finally {
    if (server) {
      const ended = once(server, "exit");
      server.kill("SIGTERM");
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  }
}

async function ask(ledger: Ledger, count: number, onProgress: (done: number) => void): Promise<void> {
  const { image } = spec;
  const pixels = randomFillSync(new Uint8Array(count * image.channels * image.height * image.width));
  const answers = await ledger.query({ ...image, count, pixels }, { onProgress });
  if (answers.some((answer) => typeof answer === "string")) throw new Error("a query was not answered");
}

async function startServe(model: string): Promise<{ url: string; process: ChildProcess }> {
  const main = fileURLToPath(new URL(/* @vite-ignore */ "../cli/main.js", import.meta.url));
  const server = spawn(process.execPath, [main, "serve", "--model", model, "--port", "0", "--json", "--quiet"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: server.stdout })) {
    return { url: (JSON.parse(line) as { url: string }).url, process: server };
  }
  throw new Error("the server ended before it listened");
}

/** Resident memory of a process, where `/proc` tells. */
function residentBytes(pid: number): number | undefined {
  try {
    const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  } catch {
    return undefined;
  }
}

/** The report in words. */
export function formatServe({ queries, seconds, queriesPerSecond, tenths, ...report }: ServeReport): string {
  const mebibytes = (bytes?: number) => (bytes === undefined ? "unknown" : `${(bytes / 2 ** 20).toFixed(0)} MiB`);
  const use = ({ before, after }: MemoryUse) => `${mebibytes(before)} before, ${mebibytes(after)} after`;
  return [
    `${queries} queries through serve on loopback, each durable in the ledger before it is used`,
    `throughput: ${queriesPerSecond.toFixed(0)} queries/s, ${seconds.toFixed(1)} s in all`,
    `by tenths: ${tenths.map((rate) => rate.toFixed(0)).join(", ")} queries/s`,
    `memory of the client: ${use(report.client)}`,
    `memory of the server: ${use(report.server)}`,
    `ledger: ${mebibytes(report.ledger)}`,
  ].join("\n");
}
