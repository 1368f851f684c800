import { join } from "node:path";
import { Argument, Command, InvalidArgumentError } from "commander";
import type { OutputOptions } from "../../common-options.js";
import { catalogue } from "../../fetch/catalogue.js";
import { fetchSet } from "../../fetch/fetch.js";
import { createProgress } from "../../progress.js";
import { size } from "../../table.js";
import { version } from "../../version.js";

interface FetchCommandOptions extends OutputOptions {
  readonly to?: string;
  readonly mirror?: readonly string[];
}

/** `activemixup data fetch`: a public data set, checked, to a folder that the other commands read. */
export function dataFetchCommand(signal: AbortSignal): Command {
  const names = catalogue.map(({ name }) => name);
  return new Command("fetch")
    .description("fetch a public data set, and check that it is what was published")
    .addArgument(new Argument("<set>", "which").choices(names))
    .option("--to <folder>", "where it goes (default: data/ and its name)")
    .option("--mirror <url>", "a folder of its files to fetch from, instead of the known ones; several times", mirror)
    .action(async (name: string, { to = join("data", name), mirror, quiet, json }: FetchCommandOptions) => {
      const set = catalogue.find((one) => one.name === name)!;
      const files = await fetchSet(set, { folder: to, mirrors: mirror }, createProgress(quiet), signal);
      const fetched = files.filter(({ from }) => from !== undefined);
      const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
      const done =
        fetched.length === 0 ? "was there, and is right" : `${fetched.length} of ${files.length} files fetched`;
      process.stdout.write(
        json
          ? `${JSON.stringify({ version, set: name, folder: to, files })}\n`
          : `${to}: ${done}, ${size(bytes)}; name it ${to}:train and ${to}:test\n`,
      );
    });
}

/** Addresses, as often as they are given. */
function mirror(value: string, before: readonly string[] = []): string[] {
  if (!/^https?:\/\/[^/]/i.test(value) || !URL.canParse(value)) {
    throw new InvalidArgumentError("expected the address of a folder, http://… or https://…");
  }
  return [...before, value];
}
