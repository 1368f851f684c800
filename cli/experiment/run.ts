import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { LockedError } from "../../src/activemixup/ledger/lock.node.js";
import { InputError } from "../../src/errors.js";
import { parseRunConfig, type RunConfig } from "../distill/config.js";
import { beginRun, continueRun, withPrepared, type RunSurroundings } from "../distill/start.js";
import type { Summary } from "../distill/summary.js";
import { asInputError } from "../files.js";
import { RunFolder } from "../run-folder.js";
import { readSettings } from "../teachers.js";
import { placesOfRun, rowOptions, type Experiment, type ExperimentRow } from "./file.js";
import type { Layout } from "./layout.js";
import { optionDifference } from "./same-options.js";

/** One seed of a row. */
export interface Run {
  readonly experiment: Experiment;
  readonly row: ExperimentRow;
  readonly seed: number;
}

/** A run that has a folder. */
export interface FoundRun extends Run {
  readonly config: RunConfig;
  /** File of the teacher. */
  readonly teacher: string;
  /** Where the run is finished. */
  readonly summary?: Summary | undefined;
}

/**
 * Looks for a run, without touching it: another process may be at it.
 * @returns nothing where it was not begun
 * @throws InputError where it was begun with other options than the experiment's file has now
 */
export async function findRun(run: Run, layout: Layout): Promise<FoundRun | undefined> {
  const { experiment, row, seed } = run;
  const folder = layout.run(experiment, row, seed);
  const json = await readJson(join(folder, "config.json"));
  if (json === undefined) return undefined;
  const config = parseRunConfig(json, folder);
  const teacher = layout.teacher(basename(config.options.teacher[0], ".safetensors"));
  const now = rowOptions(experiment, row, seed, { ...layout.images(experiment), out: folder, teacher });
  const difference = optionDifference(config.options, now.options, now.meant, placesOfRun);
  if (difference !== undefined) {
    throw new InputError(
      `${folder} was begun with other options than ${experiment.file} has for row "${row.name}": ${difference}; ` +
        `remove that folder to run it anew, or name the row otherwise`,
    );
  }
  const summary = (await readJson(join(folder, "summary.json"))) as Summary | undefined;
  return { ...run, config, teacher, ...(summary?.stopped === undefined ? {} : { summary }) };
}

/** Requires a run to have had the teacher that the experiment has now. */
export function checkTaught({ experiment, row, seed, teacher: then }: FoundRun, now: string, layout: Layout): void {
  if (then === now) return;
  const folder = layout.run(experiment, row, seed);
  throw new InputError(
    `${folder} was taught by ${basename(then)}, and ${experiment.file} now means ${basename(now)}: ` +
      `the teacher's options or the images are others; put those back, or remove that folder to run it anew`,
  );
}

/**
 * Sees that a run's options and images fit together, before hours are spent on others.
 * @throws InputError where they do not
 */
export async function checkRun(
  run: Run,
  teacher: string,
  layout: Layout,
  surroundings: RunSurroundings,
): Promise<void> {
  const options = optionsOf(run, teacher, layout);
  const settings = await readSettings(options.teacher, options.teacherConfig, options.labels);
  await naming(run, () => withPrepared(options, settings, surroundings, () => Promise.resolve()));
}

/**
 * Begins a run, or goes on with it. Each has a ledger of its own: runs that share one cannot be under way at the same
 * time, and would count as spent only what no other had asked before. The teacher is a file and charges nothing.
 * @throws LockedError where another process is at it
 */
export async function carryOut(run: Run, teacher: string, layout: Layout, around: RunSurroundings): Promise<Summary> {
  const begun = await findRun(run, layout);
  const options = optionsOf(run, teacher, layout);
  if (!begun) {
    const settings = await readSettings(options.teacher, options.teacherConfig, options.labels);
    return naming(run, () => beginRun(options, settings, around));
  }
  const { folder, config: json, checkpoint } = await RunFolder.resume(options.out);
  try {
    const finished = await folder.finishedSummary(); // by another process, since it was looked for
    if (finished) return finished as Summary;
    const config = parseRunConfig(json, options.out);
    const { images, test, out } = options;
    const now = { ...config.options, images, test, out, teacher: options.teacher };
    return await continueRun({ folder, config, checkpoint }, now, around);
  } finally {
    await folder.close();
  }
}

function optionsOf({ experiment, row, seed }: Run, teacher: string, layout: Layout) {
  const out = layout.run(experiment, row, seed);
  return rowOptions(experiment, row, seed, { ...layout.images(experiment), out, teacher }).options;
}

/** Says of a mistake which row of which file made it. */
async function naming<T>({ experiment, row }: Run, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof InputError) || error instanceof LockedError) throw error;
    throw new InputError(`${experiment.file}: row "${row.name}": ${error.message}`);
  }
}

async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw asInputError(error, path, "read", "see that you may read it");
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError(`${path} is not JSON; put back the file that the run wrote, or remove the run's folder`);
  }
}
