import { basename } from "node:path";
import { LockedError } from "../../src/activemixup/ledger/lock.node.js";
import type { RunSurroundings } from "../distill/start.js";
import { formatSeconds, type Progress } from "../progress.js";
import { collect, publish } from "./collect.js";
import type { Experiment } from "./file.js";
import type { Layout } from "./layout.js";
import { checkSameTeacher, countRuns, runOfPages } from "./pages.js";
import { carryOut, checkRun, checkTaught, findRun, type Run } from "./run.js";
import { provideTeacher, readTeacher } from "./teacher.js";

/** Those of the runs that are not finished, here or by a page. */
export async function unfinishedRuns(runs: readonly Run[], layout: Layout): Promise<Run[]> {
  const unfinished: Run[] = [];
  for (const run of runs) {
    const { experiment, row, seed } = run;
    if ((await findRun(run, layout))?.summary || runOfPages(layout.pages, experiment, row, seed)) continue;
    unfinished.push(run);
  }
  return unfinished;
}

/** Seconds between looks at runs that other processes are at. */
const WAIT = 1;

/**
 * Runs one after the other, the teachers first where they are missing; tables are made anew after each. Those that
 * another process is at are left for the end, and waited for. Ends early where the signal is aborted: a run that is
 * stopped goes on when it is called for again.
 */
export async function workOff(runs: readonly Run[], layout: Layout, surroundings: RunSurroundings): Promise<void> {
  const { progress, signal } = surroundings;
  const teachers = new Map<Experiment, string>();
  for (const experiment of new Set(runs.map((run) => run.experiment))) {
    const teacher = await provideTeacher(experiment, layout, surroundings);
    if (teacher === undefined) return;
    teachers.set(experiment, teacher);
    await checkRuns(experiment, runs, teacher, layout, surroundings);
  }
  const clock = new Clock();
  const left = [...runs];
  /** Whether it was said of a run that another process is at it. */
  const waitedFor = new Set<Run>();
  for (let done = 0; left.length > 0;) {
    if (signal.aborted) return;
    const run = left.shift()!;
    const { experiment, row, seed } = run;
    const place = `${done + 1}/${runs.length}`;
    const what = `${experiment.name}, ${row.name}, seed ${seed}`;
    if (!waitedFor.has(run)) progress.say(`run ${place}: ${what}${clock.left([run, ...left])}`);
    const started = performance.now();
    const around = { ...surroundings, progress: prefixed(progress, place) };
    const ended = await orLocked(() => carryOut(run, teachers.get(experiment)!, layout, around));
    if (ended instanceof LockedError) {
      if (!waitedFor.has(run)) progress.say(`${what}: left for the end, and waited for there: ${ended.message}`);
      waitedFor.add(run);
      left.push(run);
      if (left.every((other) => waitedFor.has(other))) await sleep(1000 * WAIT);
      continue;
    }
    if (ended.interrupted) return;
    done++;
    clock.took(run, (performance.now() - started) / 1000);
    await publish(await collect(experiment, layout), experiment, layout);
  }
}

/** Gives the error where another process holds what is needed. */
async function orLocked<T>(work: () => Promise<T>): Promise<T | LockedError> {
  return work().catch((error: unknown) => {
    if (error instanceof LockedError) return error;
    throw error;
  });
}

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Sees, before the first run, that all runs of an experiment can be made, and that those made anywhere had its teacher. */
async function checkRuns(
  experiment: Experiment,
  runs: readonly Run[],
  teacher: string,
  layout: Layout,
  surroundings: RunSurroundings,
): Promise<void> {
  const { accuracy } = (await readTeacher(experiment, teacher)) ?? {};
  for (const page of countRuns(layout.pages, experiment).keys()) {
    checkSameTeacher(page, basename(teacher, ".safetensors"), accuracy);
  }
  for (const row of experiment.rows) {
    for (const seed of experiment.seeds) {
      const found = await findRun({ experiment, row, seed }, layout);
      if (found) checkTaught(found, teacher, layout);
    }
    const first = runs.find((run) => run.experiment === experiment && run.row === row);
    if (first) await checkRun(first, teacher, layout, surroundings);
  }
}

/** Tells how long the runs that are left may take, by those of the same row, or else of any. */
class Clock {
  private readonly seconds = new Map<Run["row"], number[]>();

  took({ row }: Run, seconds: number): void {
    this.seconds.set(row, [...(this.seconds.get(row) ?? []), seconds]);
  }

  /** `; about 12:30 left`, of the runs that are left; nothing before one has ended. */
  left(runs: readonly Run[]): string {
    const all = [...this.seconds.values()].flat();
    if (all.length === 0) return "";
    const expected = runs.map(({ row }) => mean(this.seconds.get(row) ?? all));
    return `; about ${formatSeconds(expected.reduce((sum, value) => sum + value, 0))} left`;
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Progress whose lines begin with which of the runs they are of. */
function prefixed(progress: Progress, place: string): Progress {
  return {
    update: (label, done, total, unit) => {
      progress.update(`${place} ${label}`, done, total, unit);
    },
    say: (line) => {
      progress.say(`${place} ${line}`);
    },
    end: () => {
      progress.end();
    },
  };
}
