import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isatty } from "node:tty";

/** What Dawn says of drivers that promise more dynamic buffers than it can use: it concerns no one. */
const NOISE = /^Warning: maxDynamic(Uniform|Storage)BuffersPerPipelineLayout artificially reduced from /;

const STDERR = 2;

/**
 * Runs the call in which Dawn loads the Vulkan drivers, without the lines that these write to stderr and that concern
 * no one. Other lines are passed on. The work counts up to its return: a promise is handed back as it is.
 *
 * The lines come from native code, so that only the file descriptor itself can be turned away, and only a terminal can
 * be opened a second time, safely, to get it back: where stderr is a file, a pipe or a socket, all the lines stay.
 */
export function discoverQuietly<T>(work: () => T, canReopenStderr = isatty(STDERR)): T {
  const scratch = process.platform === "linux" ? makeScratch() : undefined;
  if (!scratch) return work();
  try {
    return withRuntimeFolder(scratch, () => (canReopenStderr ? withoutNoise(join(scratch, "stderr"), work) : work()));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** A folder for one call; `undefined` where none can be made, as noise is no reason to go without a device. */
function makeScratch(): string | undefined {
  try {
    return mkdtempSync(join(tmpdir(), "activemixup-"));
  } catch {
    return undefined;
  }
}

/** Mesa looks for a Wayland server in `XDG_RUNTIME_DIR` and complains where that is not set, as on a server. */
function withRuntimeFolder<T>(folder: string, work: () => T): T {
  if (process.env.XDG_RUNTIME_DIR) return work();
  process.env.XDG_RUNTIME_DIR = folder;
  try {
    return work();
  } finally {
    delete process.env.XDG_RUNTIME_DIR;
  }
}

function withoutNoise<T>(log: string, work: () => T): T {
  const kept = reopenStderr();
  if (kept === undefined) return work();
  writeFileSync(log, "");
  // Opening a file takes the lowest free descriptor: right after closing stderr, that of stderr.
  closeSync(STDERR);
  openSync(log, "a");
  try {
    return work();
  } finally {
    closeSync(STDERR);
    openSync(`/proc/self/fd/${kept}`, "a");
    closeSync(kept);
    const lines = readFileSync(log, "utf8").split(/(?<=\n)/);
    const others = lines.filter((line) => !NOISE.test(line)).join("");
    if (others) writeSync(STDERR, others);
  }
}

/** A second descriptor for the terminal behind stderr; `undefined` where that belongs to someone else, as after `su`. */
function reopenStderr(): number | undefined {
  try {
    return openSync(`/proc/self/fd/${STDERR}`, "a");
  } catch {
    return undefined;
  }
}
