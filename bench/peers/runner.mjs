import { dirname, join } from "node:path";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { waiting } from "./dawn.mjs";
import { measure } from "./sampling.mjs";
import { workloads } from "./workloads.mjs";

/**
 * What every runner does: `node RUNNER.mjs [--profile safe|fast] [--wait paused|plain] WORKLOAD…` prints one JSON line about the engine,
 * `{"engine", "versions", "device"?}`, then one for each workload: `{"workload", "median", "min", "max", "samples",
 * "runs"}` in seconds of one run, or `{"workload", "cannot"}` with the reason. Without workloads it only says what it
 * is. Where the engine is not installed or does not start, the only line is `{"missing"}` or `{"cannot"}`.
 *
 * @typedef {object} Engine
 * @property {Record<string, string>} versions
 * @property {object} [device] what computes, where it is known
 * @property {Record<string, (workload: object) => Promise<import("./sampling.mjs").Subject>>} kinds how to set up each
 * kind of workload; kinds that are absent are beyond the engine
 * @property {Record<string, string>} [beyond] why a kind is absent
 * @property {() => string | undefined} [trouble] what the device complained about that nobody heard
 * @property {() => void} [close]
 *
 * @param {string} name
 * @param {(options: { profile: "safe" | "fast", variant: string }) => Promise<Engine>} open
 */
export async function runEngine(name, open) {
  // Engines print to stdout, which carries the protocol.
  for (const method of ["log", "info", "debug"]) console[method] = console.error;
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      profile: { type: "string", default: "safe" },
      wait: { type: "string", default: "paused" },
      variant: { type: "string", default: "" },
    },
  });
  let engine;
  try {
    engine = await open(values);
  } catch (error) {
    say(error.code === "ERR_MODULE_NOT_FOUND" ? { missing: firstLine(error) } : { cannot: firstLine(error) });
    return end();
  }
  say({ engine: name, versions: engine.versions, device: engine.device });
  for (const workload of positionals) say({ workload, ...(await resultOf(engine, workload, values.wait)) });
  engine.close?.();
  return end();
}

async function resultOf(engine, name, wait) {
  const workload = workloads.find((entry) => entry.name === name);
  if (!workload) return { cannot: `no workload is called "${name}"` };
  const setUp = engine.kinds[workload.kind];
  if (!setUp) return { cannot: engine.beyond?.[workload.kind] ?? `has no ${workload.kind}` };
  const expectNoTrouble = () => {
    const trouble = engine.trouble?.();
    if (trouble) throw new Error(trouble);
  };
  let subject;
  try {
    subject = await setUp(workload);
    const check = async () => {
      await subject.check?.();
      expectNoTrouble();
    };
    const finish = subject.finish && (await waiting(wait, subject.finish));
    const timing = await measure({ ...subject, finish, check });
    expectNoTrouble();
    return timing;
  } catch (error) {
    // A wrong result is the consequence of what the device complained about, where it did.
    return { cannot: engine.trouble?.() ?? firstLine(error) };
  } finally {
    subject?.dispose?.();
  }
}

/** The version of an installed package. */
export function versionOf(name) {
  const require = createRequire(import.meta.url);
  for (let folder = dirname(require.resolve(name)); folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      if (manifest.name === name) return manifest.version;
    } catch (error) {
      if (error.code !== "ENOENT") throw error;
    }
  }
  throw new Error(`${name} has no package.json`);
}

const firstLine = (error) => String(error?.message ?? error).split("\n")[0];

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** Ends the process, also where an engine left workers or ports open, when all was written. */
const end = () => new Promise((resolve) => process.stdout.write("", resolve)).then(() => process.exit());
