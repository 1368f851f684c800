import { resolve } from "node:path";
import { z } from "zod";
import { subset } from "../../src/data/index.js";
import { InputError } from "../../src/errors.js";
import { digestPixels, parseRunConfig, type RunConfig } from "../distill/config.js";
import { completeMethod } from "../distill/method.js";
import type { Summary } from "../distill/summary.js";
import { openImages } from "../images.js";
import type { Progress } from "../progress.js";
import { readAnswered, readRunFiles } from "../run-folder.js";
import type { RunImages, RunRecord, RunState } from "./record.js";

/** Of a summary what every page tells. */
const told = z.object({
  student: z.object({ architecture: z.string() }),
  teacher: z.object({}),
  teachers: z.array(z.object({ name: z.string(), failed: z.number(), lost: z.number() })),
  rounds: z.array(z.object({ round: z.number(), queries: z.number(), loss: z.number(), seconds: z.object({}) })),
  seconds: z.object({}),
  device: z.object({}),
});

/** What a run is and what it came to. */
export interface ToldRun {
  readonly folder: string;
  readonly config: RunConfig;
  readonly summary: Summary;
}

/**
 * Reads what the folder of a run tells, without touching it: another process may be at it.
 * @throws InputError where it is no run's folder, its files are damaged, or no round of the run is finished
 */
export async function readRun(folder: string): Promise<ToldRun> {
  const { config: json, summary } = await readRunFiles(folder);
  if (summary === undefined) {
    throw new InputError(`${folder} has no finished round yet, and so nothing to report; wait for its summary.json`);
  }
  const found = told.safeParse(summary);
  if (!found.success) {
    const [{ path, message }] = found.error.issues;
    throw new InputError(
      `${folder}/summary.json: ${path.join(".")}: ${message}; put back the file that the run wrote, or begin anew`,
    );
  }
  const config = parseRunConfig(json, folder);
  return { folder, config: { ...config, method: completeMethod(config.method) }, summary: summary as Summary };
}

/**
 * All that a run's report is made of.
 * @param progress is told why there are no pictures, where there are none
 * @throws InputError where files of the run are damaged
 */
export async function readRecord(run: ToldRun, progress: Progress, signal: AbortSignal): Promise<RunRecord> {
  const { folder, config, summary } = run;
  const { answers, comparison } = await readAnswered(folder);
  const images = await readImages(config, progress, signal).catch((error: unknown) => {
    if (!(error instanceof InputError)) throw error;
    progress.say(`${folder}: the report has no pictures: ${error.message}`);
    return error.message;
  });
  const known = answers.filter(({ round }) => round < summary.rounds.length);
  return { folder, config, summary, state: stateOf(summary), answers: known, comparison, images };
}

function stateOf({ stopped, interrupted }: Summary): RunState {
  if (stopped) return { kind: "finished" };
  return { kind: interrupted ? "interrupted" : "unknown" };
}

/** @throws InputError where the images are not there, or are others than the run had */
async function readImages(
  { options, startedIn, chosen, heldOut, pixels }: RunConfig,
  progress: Progress,
  signal: AbortSignal,
): Promise<RunImages> {
  const open = (spec: string) => openImages(resolve(startedIn, spec), options, progress, signal);
  const all = await open(options.images);
  const test = options.test === undefined ? undefined : await open(options.test);
  if (Math.max(...chosen.slice(-1), ...heldOut.slice(-1)) < all.count) {
    const real = subset(all, chosen);
    const holdout = heldOut.length > 0 ? subset(all, heldOut) : undefined;
    if (digestPixels(real, holdout, test) === pixels) return { real, holdout, test };
  }
  throw new InputError(`${options.images} holds other images than when the run began; put those back`);
}
