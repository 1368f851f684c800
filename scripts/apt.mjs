// How scripts install Debian's packages for the tests.

import { spawnSync } from "node:child_process";
import { relative } from "node:path";

export const APT_GET = [
  ...["env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C"],
  ...["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"],
];

/** What keeps the tests from having what they need, and the cure. */
export class CannotInstall extends Error {}

/** Whether this machine installs packages with apt-get. */
export function hasApt() {
  return process.platform === "linux" && spawnSync("apt-get", ["--version"], { stdio: "ignore" }).status === 0;
}

/**
 * The words before a command that make root run it: none for root itself.
 * @param {string} lack what is not there: the beginning of the message where this user may not install it
 * @param {string} script the file that root is to run then
 */
export function asRoot(lack, script) {
  if (process.getuid() === 0) return [];
  if (spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status === 0) return ["sudo", "-n"];
  throw new CannotInstall(
    `${lack}, and this user may not install it (not root, and sudo is missing or asks for a password). ` +
      `Run this once as root, then the tests again: ${process.execPath} ${relative(process.cwd(), script)}`,
  );
}

/** Runs a command after showing it. */
export function run(words) {
  console.log(`  ${words.join(" ")}`);
  const { status, stdout, stderr, error } = spawnSync(words[0], words.slice(1), {
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  return { ok: status === 0, output: error ? error.message : stdout + stderr };
}

/** What apt-get complained of, or all that it said. */
export function complaints(...outputs) {
  const lines = outputs.flatMap((output) => output.split("\n")).filter((line) => /^[WE]: /.test(line));
  return lines.join("\n") || outputs.at(-1);
}
