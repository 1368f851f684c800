import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { InputError } from "../../src/errors.js";
import { loadCharts } from "../charts/libraries.js";
import { withOutputOptions, type OutputOptions } from "../common-options.js";
import { rowCells, rowHead } from "../experiment/markdown.js";
import { checkWritable, writeWhole } from "../files.js";
import { checkNotInput } from "../own-input.js";
import { createProgress } from "../progress.js";
import { comparePage } from "../report/compare-page.js";
import { compareRuns, type RunComparison } from "../report/compare.js";
import { readRecord, readRun, type ToldRun } from "../report/read.js";
import { REPORT, writeReport } from "../report/write.js";
import { formatTable, printable } from "../table.js";
import { tableLayout } from "../terminal.js";
import { version } from "../version.js";

/** Characters of a name on the terminal. */
const NAME = 48;

interface ReportOptions extends OutputOptions {
  readonly out?: string;
}

/** `activemixup report`: a page of one run, or of several side by side. */
export function reportCommand(signal: AbortSignal): Command {
  const command = new Command("report")
    .description("write a page of a run, with charts and pictures, or compare several runs on one")
    .argument("<runs...>", "folders of runs; those that differ in their seed alone are pooled")
    .option("--out <file>", "the page (default: report.html in the folder of the one run; required for several)")
    .action(async (folders: readonly string[], options: ReportOptions) => {
      const progress = createProgress(options.quiet);
      checkFolders(folders);
      const out = outOf(folders, options);
      const runs: ToldRun[] = [];
      for (const folder of folders) runs.push(await readRun(folder));
      for (const folder of folders) await checkNotInput(out, await filesOf(folder));
      await checkWritable("--out", out);
      const comparison = compareRuns(runs);
      if (runs.length === 1) await writeReport(await readRecord(runs[0], progress, signal), out);
      else await writeWhole(out, comparePage(await loadCharts(), comparison, new Date()));
      process.stdout.write(
        options.json ? `${JSON.stringify(asJson(comparison, out))}\n` : `${describe(comparison, out)}\n`,
      );
    });
  return withOutputOptions(command);
}

function checkFolders(folders: readonly string[]): void {
  const twice = folders.find((folder, index) =>
    folders.slice(0, index).some((one) => resolve(one) === resolve(folder)),
  );
  if (twice !== undefined) throw new InputError(`${twice} is given twice; name each run once`);
}

function outOf(folders: readonly string[], { out }: ReportOptions): string {
  if (out !== undefined) return out;
  if (folders.length === 1) return join(folders[0], REPORT);
  throw new InputError(
    `--out is missing; name the file that compares the ${folders.length} runs, for example --out compared.html`,
  );
}

/** The files of a run, which goes on from them; of pages it writes its report alone, anew each time. */
async function filesOf(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => !name.endsWith(".html")).map((name) => join(folder, name));
}

/** What `--json` prints. */
function asJson({ groups, differing }: RunComparison, out: string) {
  return {
    version,
    out,
    differing: differing.map(({ option }) => option),
    groups: groups.map(({ name, options, all, queries, accuracy, agreement, divergence, seconds, curve }) => ({
      ...{ name, options, queries, accuracy, agreement, divergence, seconds, curve },
      runs: all.map(({ result: { folder, seed, queries, accuracy, agreement, divergence, seconds, stopped } }) => ({
        ...{ folder, seed, queries, accuracy, agreement, divergence, seconds, finished: stopped !== undefined },
      })),
    })),
  };
}

function describe({ groups }: RunComparison, out: string): string {
  const rows = groups.map((group) => [
    ...rowCells({ ...group, name: cut(printable(group.name)) }).slice(0, -1),
    String(group.runs.length),
  ]);
  return `${formatTable([rowHead, ...rows], tableLayout())}\nthe report is in ${out}`;
}

/** A name that leaves room for a number beside it: the page has it in full. */
function cut(name: string): string {
  return name.length > NAME ? `${name.slice(0, NAME - 1)}…` : name;
}
