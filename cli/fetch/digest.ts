import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { asInputError } from "../files.js";
import type { Member } from "./catalogue.js";

/** SHA-256 of a file, in hexadecimal digits, read in parts. @throws what the file system says, or `signal`'s reason */
export async function sha256Of(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path, { signal })) hash.update(chunk as Buffer);
  } catch (error) {
    throw signal?.aborted ? signal.reason : error;
  }
  return hash.digest("hex");
}

/**
 * What is at a path where a published file should be: nothing, the file, or something else.
 * @throws InputError if it cannot be read
 */
export async function compare(
  path: string,
  file: Member,
  signal?: AbortSignal,
): Promise<"missing" | "right" | "other"> {
  try {
    const found = await stat(path);
    if (!found.isFile() || (file.bytes !== undefined && found.size !== file.bytes)) return "other";
    return file.sha256 === undefined || (await sha256Of(path, signal)) === file.sha256 ? "right" : "other";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "missing";
    if (signal?.aborted) throw error;
    throw asInputError(error, path, "read", "see that you may read it, or give another --to");
  }
}
