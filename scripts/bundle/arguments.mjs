// The command line of `npm run bundle`.

import { parseArgs } from "node:util";

/** A mistake of whoever calls: its message is the one line that is printed, and the script exits with 2. */
export class UsageError extends Error {}

export const USAGE = `Usage: npm run bundle -- [options]

Makes one archive that runs activemixup, its benchmarks and its kernel tests on a Linux machine without Node, packages
or network: docs/gpu.md says how.

Options:
  --out FILE   the archive (default: activemixup-VERSION-PLATFORM.tar.xz here)
  --level N    how hard xz tries, 0 to 9 (default: 6; 1 takes a quarter of the time and a sixth more room)
  --help       this text`;

/**
 * Reads the options.
 * @param {readonly string[]} words what follows the script's name
 * @returns {{ out?: string, level: number, help: boolean }}
 * @throws UsageError for an option that does not exist or does not make sense
 */
export function parseArguments(words) {
  const { out, level, help } = parse(words);
  if (!/^[0-9]$/.test(level)) throw new UsageError(`--level ${level}: expected a whole number from 0 to 9`);
  if (out !== undefined && !out.endsWith(".tar.xz")) {
    throw new UsageError(`--out ${out || '""'}: expected a name that ends in .tar.xz, which is what the archive is`);
  }
  return { out, level: Number(level), help };
}

function parse(words) {
  const options = { out: { type: "string" }, level: { type: "string", default: "6" }, help: { type: "boolean" } };
  try {
    const { out, level, help = false } = parseArgs({ args: [...words], options }).values;
    return { out, level, help };
  } catch (error) {
    const [line] = error.message.split("\n");
    throw new UsageError(`${line} (--help lists the options)`);
  }
}
