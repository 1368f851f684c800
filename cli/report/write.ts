import { join } from "node:path";
import type { Checkpoint } from "../../src/activemixup/index.js";
import { loadCharts } from "../charts/libraries.js";
import type { PreparedRun } from "../distill/prepare.js";
import type { Summary } from "../distill/summary.js";
import { writeWhole } from "../files.js";
import type { Progress } from "../progress.js";
import { printable } from "../table.js";
import type { RunRecord, RunState } from "./record.js";
import { runPage } from "./run-page.js";

/** Name of a run's report in its folder. */
export const REPORT = "report.html";

/**
 * Writes the report of a run: beside its place first, then renamed.
 * @throws InputError where it cannot be drawn or written
 */
export async function writeReport(record: RunRecord, path: string): Promise<void> {
  await writeWhole(path, runPage(await loadCharts(), record, new Date()));
}

/** Keeps the report of a run that goes on. */
export interface Reporter {
  /** Writes it anew. What keeps it from being written is said in one line, and does not end the run. */
  write(summary: Summary, checkpoint: Checkpoint | undefined, state: RunState): Promise<void>;
}

/** The reporter of a run in a folder. */
export function createReporter(prepared: PreparedRun, folder: string, progress: Progress): Reporter {
  const { config, images: real, holdout, test } = prepared;
  const path = join(folder, REPORT);
  return {
    async write(summary, checkpoint, state) {
      const { answers = [], comparison } = checkpoint ?? {};
      const record: RunRecord = {
        ...{ folder: config.options.out, config, summary, state, answers, comparison },
        images: { real, holdout, test },
      };
      try {
        await writeReport(record, path);
      } catch (error) {
        const { message } = error as Error;
        progress.say(`warning: ${REPORT} is not written, and the run goes on without: ${printable(message)}`);
      }
    },
  };
}

/** The reporter of a run that wants no report. */
export const noReporter: Reporter = { write: () => Promise.resolve() };
