import { Command, InvalidArgumentError } from "commander";
import { InputError } from "../../src/errors.js";
import type { CommonOptions } from "../common-options.js";
import { withDevice } from "../device.js";
import { collect, publish } from "../experiment/collect.js";
import { readExperiment, type Experiment } from "../experiment/file.js";
import { Layout } from "../experiment/layout.js";
import { rowCells, rowHead } from "../experiment/markdown.js";
import { countRuns, readPages, type Page } from "../experiment/pages.js";
import type { ExperimentResults } from "../experiment/results.js";
import type { Run } from "../experiment/run.js";
import { unfinishedRuns, workOff } from "../experiment/work.js";
import { several, wholes } from "../parse.js";
import { createProgress, type Progress } from "../progress.js";
import { formatTable, percent } from "../table.js";
import { tableLayout } from "../terminal.js";

interface ExperimentOptions extends CommonOptions {
  readonly dataRoot: string;
  readonly out: string;
  readonly rows?: readonly string[];
  readonly seeds?: readonly number[];
  readonly with?: readonly string[];
  readonly tableOnly?: boolean;
}

/** `activemixup experiment`: runs that a file describes, and tables and charts of them. */
export function experimentCommand(signal: AbortSignal): Command {
  return new Command("experiment")
    .description("run the experiments that files describe, or go on with them; tables and charts of what is finished")
    .argument("<files...>", "experiments (JSON), one after the other")
    .requiredOption("--data-root <folder>", "where the data sets are that the files name")
    .requiredOption("--out <folder>", "where teachers, runs and results go; several experiments may share it")
    .option("--rows <names>", "run these rows alone, with commas between them", names)
    .option("--seeds <seeds>", "run these seeds alone, with commas between them", wholes(0))
    .option(
      "--with <page>",
      "results (.json) that were written elsewhere or earlier: their runs count as finished; several times for several",
      several,
    )
    .option("--table-only", "run nothing: tables and charts of what is finished")
    .action(async (files: readonly string[], options: ExperimentOptions) => {
      const experiments: Experiment[] = [];
      for (const file of files) experiments.push(await readExperiment(file));
      checkFiles(experiments);
      checkChosen(experiments, options);
      const progress = createProgress(options.quiet);
      const pages = await readPages(options.with ?? [], experiments);
      sayPages(pages, experiments, progress);
      const layout = new Layout(options.dataRoot, options.out, pages);
      const results = options.tableOnly
        ? await makeTables(experiments, layout)
        : await runAll(experiments, layout, options, progress, signal);
      process.stdout.write(
        options.json ? `${JSON.stringify({ experiments: results })}\n` : `${describeResults(results, layout)}\n`,
      );
    });
}

function names(text: string): string[] {
  const parts = text.split(",").map((part) => part.trim());
  if (parts.includes("")) throw new InvalidArgumentError("expected names of rows with commas between them.");
  return parts;
}

function checkFiles(experiments: readonly Experiment[]): void {
  for (const [index, { name, file }] of experiments.entries()) {
    const other = experiments.slice(0, index).find((earlier) => earlier.name.toLowerCase() === name.toLowerCase());
    if (other) throw new InputError(`${other.file} and ${file} would share their results; rename one of the files`);
  }
  // A chart's file is called by both names.
  for (const { name, file, charts = {} } of experiments) {
    for (const chart of Object.keys(charts)) {
      const other = experiments.find(
        (one) =>
          one.file !== file &&
          [one.name, ...Object.keys(one.charts ?? {}).map((own) => `${one.name}-${own}`)].includes(`${name}-${chart}`),
      );
      if (!other) continue;
      throw new InputError(`the chart "${chart}" of ${file} would be one of ${other.file}; call the chart otherwise`);
    }
  }
}

/** Requires each chosen row and seed to be in a file, and something to be run of them. */
function checkChosen(
  experiments: readonly Experiment[],
  { rows: rowsGiven, seeds: seedsGiven, tableOnly }: ExperimentOptions,
): void {
  const [rows, seeds] = [rowsGiven ?? [], seedsGiven ?? []];
  if (tableOnly && rows.length + seeds.length > 0) {
    const given = [...(rows.length > 0 ? ["--rows"] : []), ...(seeds.length > 0 ? ["--seeds"] : [])];
    throw new InputError(
      `--table-only runs nothing, and ${given.join(" and ")} would choose what is run; leave out the one or the other`,
    );
  }
  const known = new Set(experiments.flatMap((experiment) => experiment.rows.map(({ name }) => name)));
  const row = rows.find((name) => !known.has(name));
  if (row !== undefined) throw new InputError(`--rows ${row} is no row; expected some of ${[...known].join(", ")}`);
  const knownSeeds = new Set(experiments.flatMap((experiment) => experiment.seeds));
  const seed = seeds.find((one) => !knownSeeds.has(one));
  if (seed !== undefined) {
    throw new InputError(`--seeds ${seed} is no seed of the files; expected some of ${[...knownSeeds].join(", ")}`);
  }
  if (experiments.every((experiment) => chosen(experiment, { rows: rowsGiven, seeds: seedsGiven }).length === 0)) {
    throw new InputError("no file has both a row of --rows and a seed of --seeds: give some that one file has");
  }
}

/** Tells how many runs each page brings; throws where one does not fit its experiment, before anything is run. */
function sayPages(pages: readonly Page[], experiments: readonly Experiment[], progress: Progress): void {
  const counts = new Map(experiments.flatMap((experiment) => [...countRuns(pages, experiment)]));
  for (const page of pages) progress.say(`${page.file}: finished runs that count: ${counts.get(page) ?? 0}`);
}

function chosen(experiment: Experiment, { rows, seeds }: Pick<ExperimentOptions, "rows" | "seeds">): Run[] {
  return experiment.rows
    .filter(({ name }) => rows?.includes(name) ?? true)
    .flatMap((row) =>
      experiment.seeds.filter((seed) => seeds?.includes(seed) ?? true).map((seed) => ({ experiment, row, seed })),
    );
}

async function makeTables(experiments: readonly Experiment[], layout: Layout): Promise<ExperimentResults[]> {
  const all: ExperimentResults[] = [];
  for (const experiment of experiments) {
    const results = await collect(experiment, layout);
    await publish(results, experiment, layout);
    all.push(results);
  }
  return all;
}

/** Runs what is not finished; needs no device where all is. */
async function runAll(
  experiments: readonly Experiment[],
  layout: Layout,
  options: ExperimentOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<ExperimentResults[]> {
  const runs = experiments.flatMap((experiment) => chosen(experiment, options));
  const unfinished = await unfinishedRuns(runs, layout);
  if (unfinished.length === 0) progress.say("all runs are finished: there is nothing left to run");
  else await withDevice(options, progress, (device) => workOff(unfinished, layout, { device, progress, signal }));
  return makeTables(experiments, layout);
}

function describeResults(results: readonly ExperimentResults[], layout: Layout): string {
  const several = results.length > 1;
  const head = several ? ["experiment", ...rowHead] : rowHead;
  const rows = results.flatMap(({ name, rows }) => rows.map((row) => [...(several ? [name] : []), ...rowCells(row)]));
  return [
    formatTable([head, ...rows], tableLayout(), several ? 2 : 1),
    ...results.flatMap(({ name, teacher, reduced, rows }) => [
      ...(reduced ? [`${name} is reduced: ${reduced}`] : []),
      ...(teacher ? [`${name}: the teacher ${teacher.file} has test accuracy ${percent(teacher.accuracy)}`] : []),
      ...rows
        .filter(({ missing }) => missing.length > 0)
        .map(({ name: row, missing }) => `${name}: ${row}: not finished: seed ${missing.join(", ")}`),
      `${name}: results are in ${layout.shown.results({ name }, ".md")}`,
    ]),
  ].join("\n");
}
