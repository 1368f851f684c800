import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { InputError } from "../src/errors.js";
import { asInputError } from "./files.js";

/**
 * The ledgers that a path means, each a file: itself; those of a ledger's folder; or those of a run's folder, which are
 * in its `ledger` folder unless it was given another by `--ledger`, which its `config.json` knows.
 * @throws InputError where there are none
 */
export async function findLedgers(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const own = await ledgersIn(path);
    if (own.length > 0) return own;
    const folder = await ledgerOfRun(path);
    const found = folder === undefined ? [] : await ledgersIn(folder);
    if (found.length > 0) return found;
    const looked = folder === undefined ? "" : `, nor does ${folder}`;
    throw new InputError(
      `${path} holds no ledger${looked}; give the folder of a run, a folder of ledgers, or a file that ends in .ledger`,
    );
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw asInputError(error, path, "read", "give the folder of a run, a folder of ledgers, or one ledger");
  }
}

async function ledgersIn(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  return names
    .filter((name) => name.endsWith(".ledger"))
    .sort()
    .map((name) => join(folder, name));
}

/** The ledger's folder of a run, if this is one's folder. */
async function ledgerOfRun(run: string): Promise<string | undefined> {
  const file = join(run, "config.json");
  const text = await readFile(file, "utf8").catch(absent);
  const named = text === undefined ? undefined : namedIn(text, file);
  const folder = named ?? join(run, "ledger");
  return (await stat(folder).catch(absent)) ? folder : undefined;
}

/** What a run's `config.json` says of it, as far as it matters here: resuming asks for more. */
const configFile = z.object({
  startedIn: z.string().default("."),
  options: z.object({ ledger: z.string().optional() }).default({}),
});

/** The folder that a run was given by `--ledger`. */
function namedIn(config: string, file: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(config);
  } catch {
    throw new InputError(`${file} is not JSON; name the ledger's folder instead of the run's`);
  }
  const { success, error, data } = configFile.safeParse(value);
  if (!success) {
    const { path, message } = error.issues[0];
    throw new InputError(
      `${file}: ${path.join(".") || "the whole"}: ${message}; name the ledger's folder instead of the run's`,
    );
  }
  const { ledger } = data.options;
  return ledger === undefined ? undefined : resolve(data.startedIn, ledger);
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
