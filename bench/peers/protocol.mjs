import { spawn } from "node:child_process";
import { clearTimeout, setTimeout } from "node:timers";

/**
 * Runs one engine in a process of its own and listens to it: how a runner speaks stands in `runner.mjs`.
 */

/**
 * What a runner printed, line by line; lines that are no JSON objects are an engine's own chatter and passed over.
 * @param {string} output
 * @returns {{ about?: object, missing?: string, cannot?: string, results: Map<string, object> }} `results` by workload
 */
export function parseOutput(output) {
  const answer = { results: new Map() };
  for (const line of output.split("\n")) {
    if (!line.startsWith("{")) continue;
    let entry;
    try {
      entry = JSON.parse(line);
    } catch {
      continue;
    }
    const { workload, ...result } = entry;
    if (workload !== undefined) answer.results.set(workload, result);
    else if (entry.engine !== undefined) answer.about = entry;
    else if (entry.missing !== undefined) answer.missing = entry.missing;
    else if (entry.cannot !== undefined) answer.cannot = entry.cannot;
  }
  return answer;
}

/**
 * Why a process gave no result.
 * @param {{ code: number | null, signal: string | null, timedOut: boolean, timeout: number, stderr: string }} ending
 */
export function describeEnding({ code, signal, timedOut, timeout, stderr }) {
  if (timedOut) return `not done after ${timeout} s`;
  const last = stderr.trim().split("\n").at(-1);
  return `ended with ${signal ?? `exit code ${code}`}${last ? `: ${last}` : " and no result"}`;
}

/**
 * Starts a runner and waits for its end.
 * @param {{ command: readonly string[] }} engine
 * @param {readonly string[]} workloads names, or what asks the engine only what it is
 * @param {{ timeout: number }} options most seconds that it may take
 * @returns {Promise<ReturnType<typeof parseOutput> & { ending: string }>}
 */
export function ask({ command: [file, ...options] }, workloads, { timeout }) {
  return new Promise((resolve) => {
    const child = spawn(file, [...options, ...workloads], { stdio: ["ignore", "pipe", "pipe"] });
    const text = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"]) {
      child[name].setEncoding("utf8");
      child[name].on("data", (part) => (text[name] += part));
    }
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, 1000 * timeout);
    const settle = (ending) => {
      clearTimeout(timer);
      resolve({ ...parseOutput(text.stdout), ending });
    };
    child.on("error", (error) => settle(error.code === "ENOENT" ? `there is no ${file}` : error.message));
    child.on("close", (code, signal) =>
      settle(describeEnding({ code, signal, timedOut, timeout, stderr: text.stderr })),
    );
  });
}
