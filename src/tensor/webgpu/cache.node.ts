import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/**
 * What was found out about a machine once and would take time to find out again. It is a convenience: without it all
 * is found out anew, so that a file that cannot be read or written is no error.
 */

/**
 * The user's folder for such files: `activemixup` in `XDG_CACHE_HOME` where that is an absolute path, else in
 * `~/.cache`, on macOS `~/Library/Caches`, on Windows `%LOCALAPPDATA%`. It need not exist.
 */
export function cacheFolder(
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  const { XDG_CACHE_HOME: chosen, LOCALAPPDATA: local } = env;
  const home = homedir();
  const system =
    platform === "darwin"
      ? join(home, "Library", "Caches")
      : platform === "win32"
        ? local || join(home, "AppData", "Local")
        : join(home, ".cache");
  return join(chosen && isAbsolute(chosen) ? chosen : system, "activemixup");
}

/**
 * What {@link writeCache} last kept under this name and key; `undefined` where nothing is, or its file is damaged.
 * The value is as old as the file: callers check that it has the form they expect.
 */
export function readCache(name: string, key: string, folder = cacheFolder()): unknown {
  try {
    const kept = JSON.parse(readFileSync(cacheFile(name, key, folder), "utf8")) as { key?: unknown; value?: unknown };
    return kept.key === key ? kept.value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Keeps a value that JSON can hold for later processes, in place of what was kept under this name and key.
 * @param name what it is about, `subgroup-matrix`: begins the file's name
 * @param key all that the value depends on, in words: adapter, driver, version of Dawn
 * @returns whether it was kept: a folder that cannot be written to is no error
 */
export function writeCache(name: string, key: string, value: unknown, folder = cacheFolder()): boolean {
  const file = cacheFile(name, key, folder);
  // Beside its place and then renamed, so that no reader meets half a file.
  const draft = `${file}.${process.pid}.part`;
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(draft, `${JSON.stringify({ key, value }, undefined, 2)}\n`);
    renameSync(draft, file);
    return true;
  } catch {
    removeIfThere(draft);
    return false;
  }
}

function removeIfThere(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Where no file can be made, there is none to remove.
  }
}

/** A file for each key, so that processes that keep different things at the same time lose none of them. */
function cacheFile(name: string, key: string, folder: string): string {
  return join(folder, `${name}-${createHash("sha256").update(key).digest("hex").slice(0, 16)}.json`);
}
