import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "../../tensor/webgpu/cache.node.js";
import { decodeTuning, tuningName, type Tuning, type TuningKey } from "./tuning.js";

/** What is remembered for a key. */
export interface Stored {
  /** The file, whether it exists or not. */
  readonly path: string;
  /** Absent where there is none, or none that can be used. */
  readonly tuning?: Tuning;
  /** Why a file that is there cannot be used. */
  readonly damage?: string;
}

/** Where all that tuning remembers lies. */
function folder(): string {
  return join(cacheFolder(), "tuning");
}

/** Reads what is remembered for a key. */
export async function readTuning(key: TuningKey): Promise<Stored> {
  const path = join(folder(), `${await tuningName(key)}.json`);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOENT" ? { path } : { path, damage: `${path} cannot be read (${code})` };
  }
  const tuning = decodeTuning(text, key);
  return tuning ? { path, tuning } : { path, damage: `${path} is damaged, or of another release` };
}

/** Forgets all that was measured, on every device. Returns the folder that held it. */
export async function clearTuning(): Promise<string> {
  await rm(folder(), { recursive: true, force: true });
  return folder();
}
