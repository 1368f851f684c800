// From a folder to one archive that is not too large.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { UsageError } from "./arguments.mjs";

/** The largest archive, in bytes: what can be carried to machines that take no more. */
export const MOST_BYTES = 45 * 2 ** 20;

/**
 * Packs the folder `name` of `parent` into `file`, by way of a file beside it, so that `file` is whole, and not too
 * large, or not there. Owners and the order of the files do not depend on who packs.
 * @param {{ parent: string, name: string, file: string, level: number, parts: readonly { name: string,
 *   bytes: number }[] }} job `level` is that of xz; `parts` are named where the archive is too large
 * @returns {{ bytes: number, sha256: string }}
 * @throws UsageError where tar or xz fails, or the archive is too large
 */
export function pack({ parent, name, file, level, parts }) {
  const partial = `${file}.partial`;
  const words = ["--create", "--format=gnu", "--sort=name", "--owner=0", "--group=0", "--numeric-owner"];
  words.push("--mode=u+w,a+rX,go-w", "--use-compress-program", `xz -T0 -${level}`);
  try {
    run("tar", [...words, "--file", partial, "--directory", parent, name]);
    const contents = readFileSync(partial);
    const excess = describeExcess(contents.length, parts);
    if (excess) throw new UsageError(excess);
    renameSync(partial, file);
    return { bytes: contents.length, sha256: createHash("sha256").update(contents).digest("hex") };
  } finally {
    rmSync(partial, { force: true });
  }
}

/** @throws UsageError where GNU tar or xz is not there */
export function requireTools() {
  for (const [tool, maker] of [
    ["tar", "GNU tar"],
    ["xz", "XZ Utils"],
  ]) {
    const { stdout } = spawnSync(tool, ["--version"], { encoding: "utf8" });
    if (!stdout?.includes(maker)) {
      throw new UsageError(`${maker} is missing: install it (Debian, Ubuntu: apt-get install tar xz-utils)`);
    }
  }
}

function run(program, words) {
  const { status, stderr, error } = spawnSync(program, words, { encoding: "utf8" });
  if (status !== 0) throw new UsageError(`${program} failed: ${(error?.message ?? stderr).trim().split("\n")[0]}`);
}

/**
 * What is too large, and what it is made of; `undefined` where the archive fits.
 * @param {number} bytes
 * @param {readonly { name: string, bytes: number }[]} parts before compression
 */
export function describeExcess(bytes, parts, most = MOST_BYTES) {
  if (bytes <= most) return undefined;
  const sizes = parts.map((part) => `${part.name} ${mebibytes(part.bytes)}`).join(", ");
  return `the archive has ${mebibytes(bytes)}, at most ${mebibytes(most)} are allowed; before compression: ${sizes}`;
}

/** For example `31.5 MiB`. */
export function mebibytes(bytes) {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** Bytes of a file. */
export function sizeOf(file) {
  return statSync(file).size;
}
