import type { Checkpoint, TeacherSettings } from "../../src/activemixup/index.js";
import type { Device } from "../../src/tensor/index.js";
import { requireLedgers } from "../ledgers.js";
import type { Progress } from "../progress.js";
import { createReporter, noReporter } from "../report/write.js";
import { RunFolder } from "../run-folder.js";
import type { RunConfig } from "./config.js";
import { completeMethod } from "./method.js";
import type { DistillCommandOptions } from "./options.js";
import { checkSameRun, closeTeachers, prepareRun, type PreparedRun } from "./prepare.js";
import { execute, ledgersOf, withStores } from "./run.js";
import type { Summary } from "./summary.js";

/** What a run computes on, whom it tells, and what stops it. */
export interface RunSurroundings {
  readonly device: Device;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Whether the run keeps a report in its folder; it does where absent. */
  readonly report?: boolean | undefined;
}

/**
 * Begins a run in the folder `options.out`, and goes on until it ends or is stopped.
 * @param settings one a teacher
 * @throws InputError where its parts do not fit together, or the folder is not new; nothing stays of the folder then
 */
export async function beginRun(
  options: DistillCommandOptions,
  settings: readonly TeacherSettings[],
  surroundings: RunSurroundings,
): Promise<Summary> {
  const { progress, signal } = surroundings;
  return withPrepared(options, settings, surroundings, async (prepared) => {
    const folder = await RunFolder.create(options.out);
    let begun = false;
    try {
      // Before the stores: a folder that holds a ledger can be gone on with, whenever the process is killed.
      await folder.writeConfig(prepared.config);
      return await withStores(prepared, folder, progress, async (stores) => {
        begun = true;
        const reporter = reporterOf(prepared, folder, surroundings);
        return execute(prepared, folder, stores, undefined, progress, signal, reporter);
      });
    } finally {
      if (!begun) await folder.removeConfig();
      await folder.close();
    }
  });
}

/** A run that was begun earlier, as its folder has it. */
export interface BegunRun {
  readonly folder: RunFolder;
  readonly config: RunConfig;
  readonly checkpoint?: Checkpoint | undefined;
  /** Whether its teachers are asked by other settings than it began with, which its folder is to have from now on. */
  readonly changed?: boolean | undefined;
}

/**
 * Goes on with a run until it ends or is stopped.
 * @param options those of its `config.json`; where images and teachers lie may differ
 * @throws InputError where images, student or teachers are not those that it began with
 */
export async function continueRun(
  { folder, config, checkpoint, changed }: BegunRun,
  options: DistillCommandOptions,
  surroundings: RunSurroundings,
): Promise<Summary> {
  const { progress, signal } = surroundings;
  return withPrepared(options, config.teacherSettings, surroundings, async (prepared) => {
    const difference = checkSameRun(prepared.config, config);
    if (difference) progress.say(`warning: ${difference}: the student may differ in the last bits`);
    if (changed) await folder.reopen(config);
    progress.say(checkpoint ? `going on after round ${checkpoint.rounds.length - 1}` : "going on in round 0");
    const run = { ...prepared, config: { ...config, method: completeMethod(config.method) } };
    if (checkpoint) await requireLedgers(ledgersOf(config, folder), run.teachers);
    const reporter = reporterOf(run, folder, surroundings);
    return withStores(run, folder, progress, (stores) =>
      execute(run, folder, stores, checkpoint, progress, signal, reporter),
    );
  });
}

function reporterOf(prepared: PreparedRun, { path }: RunFolder, { report = true, progress }: RunSurroundings) {
  return report ? createReporter(prepared, path, progress) : noReporter;
}

/** Opens the parts of a run, and closes them after the work. */
export async function withPrepared<T>(
  options: DistillCommandOptions,
  settings: readonly TeacherSettings[],
  { device, progress, signal }: RunSurroundings,
  work: (prepared: PreparedRun) => Promise<T>,
): Promise<T> {
  const onLine = (line: string) => {
    progress.say(`teacher: ${line}`);
  };
  const prepared = await prepareRun(options, settings, { device, progress, onLine, signal });
  try {
    return await work(prepared);
  } finally {
    await closeTeachers(prepared.teachers, progress);
    prepared.student.dispose();
  }
}
