/** Reads a teacher's settings and class names from disk, in Node. */
import { readFile } from "node:fs/promises";
import { InputError } from "../../errors.js";
import { parseLabels, parseTeacherSettings } from "./settings-file.js";
import type { TeacherSettings } from "./settings.js";

/** Reads `--teacher-config`. @throws InputError that names the file, and what is wrong with it */
export async function readTeacherSettings(file: string): Promise<TeacherSettings> {
  return parseTeacherSettings(await readText("--teacher-config", file), file);
}

/** Reads `--labels`. @throws InputError that names the file, and what is wrong with it */
export async function readLabels(file: string): Promise<string[]> {
  return parseLabels(await readText("--labels", file), file);
}

async function readText(option: string, file: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EISDIR") throw new InputError(`${option} ${file} is a folder; give the path of a file`);
    throw new InputError(`${option} ${file} cannot be read (${code ?? message}); give the path of a file that exists`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new InputError(`${option} ${file} is not text in UTF-8; save it as such`);
  }
}
