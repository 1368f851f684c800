import { execFile, spawnSync } from "node:child_process";
import { fileURLToPath, URL } from "node:url";
import { promisify } from "node:util";

/** The project's folder. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** What is wrong with the package. */
export class Fault extends Error {}

/**
 * Runs a program and gives what it wrote to stdout.
 * @param {readonly string[]} words program and arguments
 * @throws Fault with all that it wrote, where it does not exit with 0
 */
export function run(words, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(words[0], words.slice(1), {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
    timeout: 300_000,
    ...options,
  });
  if (status !== 0) throw new Fault(`${words.join(" ")}\n${error?.message ?? ""}${stdout}${stderr}`);
  return stdout;
}

/**
 * Runs a program beside others.
 * @throws Fault as {@link run} does
 */
export async function runBeside(words) {
  try {
    await promisify(execFile)(words[0], words.slice(1), { cwd: root, maxBuffer: 2 ** 26, timeout: 300_000 });
  } catch (error) {
    throw new Fault(`${words.join(" ")}\n${error.message}${error.stdout}${error.stderr}`);
  }
}
