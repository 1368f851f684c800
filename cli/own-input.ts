import { realpath } from "node:fs/promises";
import { InputError } from "../src/errors.js";

/**
 * Requires that a command does not overwrite what it reads.
 * @param out what `--out` names
 * @param inputs files that are read; what does not exist is told of elsewhere
 * @throws InputError where it is one of them, under whatever name
 */
export async function checkNotInput(out: string, inputs: Iterable<string>): Promise<void> {
  const place = await placeOf(out);
  if (place === undefined) return;
  for (const input of inputs) {
    if ((await placeOf(input)) !== place) continue;
    const same = input === out ? "" : `${input}, `;
    throw new InputError(
      `--out ${out} is ${same}an input of this command, and would be overwritten; name another file`,
    );
  }
}

async function placeOf(path: string): Promise<string | undefined> {
  return realpath(path).catch(() => undefined);
}
