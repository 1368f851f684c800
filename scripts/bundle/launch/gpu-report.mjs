// `./run gpu-report [FOLDER]`: everything that is worth knowing of a machine with a GPU, one step after the other, each
// into files of its own. A step that fails, hangs or cannot run stops none of the others.

import { spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join, relative, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { clearTimeout, setTimeout } from "node:timers";
import { fileURLToPath, URL } from "node:url";

const USAGE = `Usage: ./run gpu-report [FOLDER]

Runs doctor, the kernel tests, the benchmarks with either profile, and, where python3 has torch, PyTorch's and the two
in one run. Results go to FOLDER (default: gpu-report), which must be empty or new: NAME.json or NAME.txt, what else was
said to NAME.log, and summary.txt. Exits with 1 where a step failed.`;

const bundle = fileURLToPath(new URL("..", import.meta.url));
const run = join(bundle, "run");
const torchScript = join(bundle, "bench/peers/torch_bench.py");
const compareScript = join(bundle, "bench/peers/compare.mjs");

const MACHINE = `uname -a; cat /etc/os-release; getconf GNU_LIBC_VERSION; ls /dev/nvidia* /dev/dri 2>&1; nvidia-smi 2>&1; true`;

/**
 * The steps in their order. `file` takes what a step prints, `result` is its JSON (where that is another file), `skip`
 * says why a step cannot run.
 * @param {{ folder: string, full: boolean, torch?: string, compare?: string }} plan where results go, whether the
 *   benchmarks know `--full`, and why PyTorch, and ours beside it, cannot run
 */
export function listSteps({ folder, full, torch, compare }) {
  const bench = (profile) => ["bench", ...(full ? ["--full"] : []), "--json", "--profile", profile];
  const tests = join(folder, "tests.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${tests}`];
  return [
    { name: "machine", command: ["sh", "-c", MACHINE], file: "machine.txt", minutes: 1 },
    { name: "doctor", command: [run, "doctor", "--json"], file: "doctor.json", minutes: 2 },
    {
      name: "tests",
      command: [run, "test", "test/kernels", "test/tensor", ...reporters],
      file: "tests.txt",
      result: "tests.json",
      minutes: 30,
    },
    { name: "bench-safe", command: [run, ...bench("safe")], file: "bench-safe.json", minutes: 30 },
    { name: "bench-fast", command: [run, ...bench("fast")], file: "bench-fast.json", minutes: 30 },
    { name: "torch", command: ["python3", torchScript, "--json"], file: "torch.jsonl", minutes: 30, skip: torch },
    {
      name: "compare",
      command: [run, "compare", "--full", "--json", "--profile", "fast", "--peers", "torch"],
      file: "compare.json",
      minutes: 30,
      skip: compare,
    },
  ];
}

/**
 * One line on a step.
 * @param {{ name: string, file: string, result?: string, minutes: number, skip?: string }} step
 * @param {{ code: number | null, seconds: number, timedOut: boolean } | undefined} end `undefined` where it did not run
 * @param {string} text what its result file holds
 */
export function describeStep(step, end, text) {
  const line = (state, words) => `${step.name.padEnd(11)} ${state.padEnd(7)} ${words}`;
  if (step.skip) return line("skipped", step.skip);
  if (!end) return line("not run", "stopped before");
  const took = `${end.seconds.toFixed(0)} s`;
  const finding = describeResult(step.name, text);
  const more = finding ? `, ${finding}` : "";
  if (end.timedOut) return line("FAILED", `stopped after ${step.minutes} minutes, see ${step.name}.log`);
  if (end.code !== 0)
    return line("FAILED", `${took}, exit code ${end.code ?? "none: ended by a signal"}${more}, see ${step.name}.log`);
  return line("ok", `${took}${more}`);
}

/** What a step found, in a few words; nothing where its result cannot be read, which its exit code then says. */
function describeResult(name, text) {
  if (name === "torch") {
    const count = (key) => text.split(`"${key}"`).length - 1;
    return `${count("median")} workloads, ${count("cannot")} that it cannot do`;
  }
  let result;
  try {
    result = JSON.parse(text);
  } catch {
    return "";
  }
  if (name === "doctor") {
    const info = result.adapter?.info;
    if (!info) return "NO ADAPTER answers: see `better` in ./run doctor";
    return `${info.adapter}, ${info.software ? "SOFTWARE, NOT A GPU: see `better` in ./run doctor" : info.driver}`;
  }
  if (name === "tests") return `${result.numPassedTests} passed, ${result.numFailedTests} failed`;
  return Array.isArray(result.rows) ? `${result.rows.length} rows` : "";
}

/** Runs a step's command, its output into files; resolves to how it ended, also where it could not start. */
function runStep({ name, command, file, minutes }, folder) {
  const output = openSync(join(folder, file), "w");
  const log = openSync(join(folder, `${name}.log`), "w");
  const env = { ...process.env, NO_COLOR: "1" };
  const start = performance.now();
  return new Promise((done) => {
    const child = spawn(command[0], command.slice(1), { stdio: ["ignore", output, log], env });
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, 60_000 * minutes);
    const end = (code) => {
      clearTimeout(timer);
      closeSync(output);
      closeSync(log);
      done({ code, timedOut, seconds: (performance.now() - start) / 1000 });
    };
    child.on("exit", end);
    child.on("error", (error) => {
      writeSync(log, `${error.message}\n`);
      end(127);
    });
  });
}

/** Whether a program with these words ends well, and what it prints. */
function ask(program, ...words) {
  const { status, stdout } = spawnSync(program, words, { encoding: "utf8", timeout: 120_000 });
  return { ok: status === 0, stdout: stdout ?? "" };
}

/** Why PyTorch's figures cannot be had from a script here; `undefined` where they can. */
function describeNoTorch(script) {
  if (!existsSync(script)) return `this bundle has no ${relative(bundle, script)}`;
  if (!ask("python3", "--version").ok) return "there is no python3 on the PATH";
  return ask("python3", "-c", "import torch").ok ? undefined : "python3 has no torch";
}

function prepareFolder(words) {
  const folder = resolve(words[0] ?? "gpu-report");
  if (words.length > 1 || words[0]?.startsWith("-")) throw new Error(`expected one folder, found: ${words.join(" ")}`);
  try {
    mkdirSync(folder, { recursive: true });
    if (readdirSync(folder).length > 0) throw new Error("it holds files already; name another one");
    copyFileSync(join(bundle, "bundle.json"), join(folder, "bundle.json"));
  } catch (error) {
    throw new Error(`the folder ${folder} cannot take the results: ${error.message}`, { cause: error });
  }
  return folder;
}

async function report(folder) {
  const steps = listSteps({
    folder,
    full: ask(run, "bench", "--help").stdout.includes("--full"),
    torch: describeNoTorch(torchScript),
    compare: describeNoTorch(compareScript),
  });
  let stopped = false;
  // The terminal sends Ctrl-C to the step as well, which ends it.
  process.on("SIGINT", () => (stopped = true));
  const lines = [];
  let failed = false;
  for (const step of steps) {
    const runs = !step.skip && !stopped;
    if (runs) console.error(`gpu-report: ${step.name}, at most ${step.minutes} min`);
    const end = runs ? await runStep(step, folder) : undefined;
    const result = join(folder, step.result ?? step.file);
    lines.push(describeStep(step, end, existsSync(result) ? readFileSync(result, "utf8") : ""));
    console.error(lines.at(-1));
    failed ||= end ? end.code !== 0 : !step.skip;
  }
  writeFileSync(join(folder, "summary.txt"), `${lines.join("\n")}\n`);
  console.log(`\n${lines.join("\n")}\n\nThe results are in ${folder}`);
  return failed ? 1 : 0;
}

async function main(words) {
  if (["--help", "-h"].includes(words[0])) {
    console.log(USAGE);
    return 0;
  }
  let folder;
  try {
    folder = prepareFolder(words);
  } catch (error) {
    console.error(`gpu-report: ${error.message}`);
    return 2;
  }
  return report(folder);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2));
