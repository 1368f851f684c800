import { join } from "node:path";
import { distill, type Checkpoint, type LedgerStore } from "../../src/activemixup/index.js";
import { encodeNetwork } from "../../src/nn/index.js";
import { openStores, closeStores } from "../ledgers.js";
import { labelOf, unitOf } from "../phases.js";
import type { Progress } from "../progress.js";
import type { Reporter } from "../report/write.js";
import type { RunFolder } from "../run-folder.js";
import { describeRound } from "./describe.js";
import type { RunConfig } from "./config.js";
import type { PreparedRun } from "./prepare.js";
import { summarise, type Summary } from "./summary.js";

/** Where a run's ledgers are: in its folder, unless its options name another. */
export function ledgersOf({ options }: RunConfig, folder: RunFolder): string {
  return options.ledger ?? join(folder.path, "ledger");
}

/** Opens the teachers' ledgers, in the run's folder unless the options name another, and closes them after the work. */
export async function withStores<T>(
  { config, teachers }: PreparedRun,
  folder: RunFolder,
  progress: Progress,
  work: (stores: readonly LedgerStore[]) => Promise<T>,
): Promise<T> {
  const stores = await openStores(ledgersOf(config, folder), teachers, (message) => {
    progress.say(message);
  });
  try {
    return await work(stores);
  } finally {
    await closeStores(stores);
  }
}

/** Runs, or goes on after a checkpoint, with all that is found out on disk in the run's folder. */
export async function execute(
  prepared: PreparedRun,
  folder: RunFolder,
  stores: readonly LedgerStore[],
  resume: Checkpoint | undefined,
  progress: Progress,
  signal: AbortSignal,
  reporter: Reporter,
): Promise<Summary> {
  const { config, images, holdout, test, teachers, student } = prepared;
  const { askTest } = config.options;
  let last = resume;
  let told = resume && ((await folder.summary()) as Summary | undefined);
  const running = distill({
    ...{ images, holdout, test, askTest, stores, student, resume, signal },
    teacher: teachers,
    run: config.run,
    options: config.method,
    observer: {
      onProgress: (phase, round, done, total) => {
        progress.update(labelOf(phase, round), done, total, unitOf(phase, config.method));
      },
      onNotice: (message) => {
        progress.say(message);
      },
      onRound: async (round, soFar, checkpoint) => {
        progress.say(describeRound(round));
        await folder.finishRound(round, checkpoint, student.spec);
        [last, told] = [checkpoint, summarise(prepared, soFar)];
        await folder.writeSummary(told);
        // The last round's comes below, with the end of the run.
        if (!told.stopped) await reporter.write(told, checkpoint, { kind: "going" });
      },
    },
  });
  const report = await running.catch(async (error: unknown) => {
    const interrupted = signal.aborted && error === signal.reason;
    const message = (error as Error).message;
    if (told) await reporter.write(told, last, interrupted ? { kind: "interrupted" } : { kind: "failed", message });
    throw error;
  });
  progress.end();
  // Of an unfinished round, the student as it stands is better than none; else that of the last round, or the best.
  if (!report.interrupted || report.rounds.length === 0) await folder.writeStudent(await encodeNetwork(student));
  const summary = summarise(prepared, report);
  await folder.writeSummary(summary);
  await reporter.write(summary, last, { kind: summary.stopped ? "finished" : "interrupted" });
  return summary;
}
