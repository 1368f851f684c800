import { resolve } from "node:path";
import { Command } from "commander";
import { InputError } from "../../src/errors.js";
import type { CommonOptions } from "../common-options.js";
import { withDevice } from "../device.js";
import { parseRunConfig, type RunConfig } from "../distill/config.js";
import { describeRun } from "../distill/describe.js";
import { idleOption } from "../distill/method.js";
import { extendRun } from "../distill/extend.js";
import { required, withDistillOptions, type DistillCommandOptions } from "../distill/options.js";
import { beginRun, continueRun } from "../distill/start.js";
import type { Summary } from "../distill/summary.js";
import { createProgress, type Progress } from "../progress.js";
import { RunFolder } from "../run-folder.js";
import { readSettings } from "../teachers.js";

/** With --resume there may be none of the options without which no run begins. */
type Given = CommonOptions &
  Omit<DistillCommandOptions, "budget"> & {
    readonly budget?: number;
    readonly resume?: string;
    readonly report: boolean;
  };

/** `activemixup distill`: the method. */
export function distillCommand(signal: AbortSignal): Command {
  const command = new Command("distill").description(
    "train a student from a few unlabelled images and a counted number of queries to a teacher",
  );
  withDistillOptions(command).option("--no-report", "write no report.html into the run's folder");
  return command.action(async (given: Given) => {
    checkGiven(command, given);
    const progress = createProgress(given.quiet);
    const { summary, out } =
      given.resume === undefined
        ? await start(given, progress, signal)
        : await goOn(given, given.resume, command.getOptionValueSource("device") === "cli", progress, signal);
    process.stdout.write(given.json ? `${JSON.stringify(summary)}\n` : `${describeRun(summary, out)}\n`);
  });
}

/** Options that say how a command runs, not what the run is. */
const ofEveryRun = new Set(["resume", "report", "device", "profile", "json", "quiet"]);

/**
 * What a run may go on with otherwise than it began: who answers stays the same, how they are asked and how often need
 * not.
 */
const mendable = new Set(["teacherConfig", "skipUnanswered", "budget", "totals"]);

/** A run is described by its options or by the folder of an earlier one, not by both. */
function checkGiven(command: Command, given: Given): void {
  const own = command.options.filter(
    (option) =>
      command.getOptionValueSource(option.attributeName()) === "cli" && !ofEveryRun.has(option.attributeName()),
  );
  if (given.resume === undefined) {
    const missing = required.find((name) => given[name] === undefined);
    if (missing) throw new InputError(`required option --${missing} is missing; \`distill --help\` lists all`);
    const idle = idleOption(given, new Set(own.map((option) => option.attributeName())));
    if (idle !== undefined) throw new InputError(idle);
    return;
  }
  const fixed = own.find((option) => !mendable.has(option.attributeName()));
  if (fixed) {
    throw new InputError(
      `${fixed.long} is given together with --resume, which goes on as ${given.resume}/config.json says; drop ${fixed.long}`,
    );
  }
  if (given.totals && given.budget === undefined) {
    throw new InputError("--totals beside --resume is of a larger budget; give --budget too, or leave it out");
  }
}

interface Ended {
  readonly summary: Summary;
  readonly out: string;
}

async function start(given: Given, progress: Progress, signal: AbortSignal): Promise<Ended> {
  const own = Object.entries(given).filter(([name]) => !ofEveryRun.has(name));
  const options = Object.fromEntries(own) as unknown as DistillCommandOptions;
  const settings = await readSettings(options.teacher, options.teacherConfig, options.labels);
  const summary = await withDevice(given, progress, (device) =>
    beginRun(options, settings, { device, progress, signal, report: given.report }),
  );
  return { summary, out: options.out };
}

/** @param chosen whether the device is given; else a run that was begun on the CPU stays there, to the bit */
async function goOn(
  given: Given,
  out: string,
  chosen: boolean,
  progress: Progress,
  signal: AbortSignal,
): Promise<Ended> {
  const { folder, config: json, checkpoint } = await RunFolder.resume(out);
  try {
    const { budget, totals } = given;
    const finished = await folder.finishedSummary();
    if (finished && budget === undefined) {
      progress.say("the run is finished: there is nothing left to do");
      return { summary: finished as Summary, out };
    }
    const begun = parseRunConfig(json, out);
    const files = given.teacherConfig?.map((file) => resolve(file));
    enter(begun.startedIn, out);
    const asked = files ? await withTeacherSettings(begun, files) : begun;
    const mended = given.skipUnanswered ? skippingUnanswered(asked) : asked;
    const config = budget === undefined ? mended : extendRun(mended, checkpoint?.rounds ?? [], { budget, totals });
    if (budget !== undefined) {
      progress.say(`the budget is now ${budget} queries; rounds end with ${config.method.totals!.join(", ")}`);
    }
    const device = !chosen && config.device.kind === "cpu" ? "cpu" : given.device;
    const summary = await withDevice({ ...given, device }, progress, (device) =>
      continueRun({ folder, config, checkpoint, changed: config !== begun }, config.options, {
        ...{ device, progress, signal, report: given.report },
      }),
    );
    return { summary, out };
  } finally {
    await folder.close();
  }
}

/** The run with other settings files of its teachers. */
async function withTeacherSettings(config: RunConfig, files: readonly string[]): Promise<RunConfig> {
  const options = { ...config.options, teacherConfig: files };
  return { ...config, options, teacherSettings: await readSettings(options.teacher, files, options.labels) };
}

/** The run, but that it leaves out images that the teacher never answers. */
function skippingUnanswered(config: RunConfig): RunConfig {
  return {
    ...config,
    options: { ...config.options, skipUnanswered: true },
    method: { ...config.method, skipUnanswered: true },
  };
}

/** Relative paths, and commands of teachers, mean what they meant when the run began. */
function enter(folder: string, run: string): void {
  try {
    process.chdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new InputError(
      `${run}/config.json: startedIn ${folder} cannot be entered (${code}); name there the folder where relative paths start`,
    );
  }
}
