import { performance } from "node:perf_hooks";

/**
 * What a runner measures.
 * @typedef {object} Subject
 * @property {(times: number) => void | Promise<void>} run does the work `times` times, or queues it
 * @property {() => Promise<void>} [finish] waits until what was queued is done; absent where `run` does the work
 * @property {() => Promise<void>} [check] throws where the result is wrong; called after the warm-up
 * @property {() => void} [dispose]
 */

/** What one sample lasts, in milliseconds. */
const SAMPLE_MILLISECONDS = 300;

const SAMPLES = 7;

/** Steps that take longer than this many milliseconds get fewer samples, of one step each. */
const LONG_MILLISECONDS = 5000;

const LONG_SAMPLES = 3;

/** No more runs than this in one sample, so that queues stay within memory. */
const MOST_RUNS = 5000;

/**
 * Times a subject after warming it up: each sample is as many runs as fill it, from before the first is queued until
 * the device is done.
 * @param {Subject} subject
 * @returns {Promise<{ median: number, min: number, max: number, samples: number, runs: number }>} seconds of one run,
 * and runs in a sample
 */
export async function measure({ run, finish, check }) {
  const time = async (runs) => {
    const start = performance.now();
    await run(runs);
    await finish?.();
    return performance.now() - start;
  };
  let milliseconds = await time(1);
  await check?.();
  // The first run compiles, so that its time says little; a second one that is long as well is a sample already.
  if (milliseconds > LONG_MILLISECONDS) milliseconds = await time(1);
  if (milliseconds > LONG_MILLISECONDS) {
    const samples = [milliseconds / 1000];
    while (samples.length < LONG_SAMPLES) samples.push((await time(1)) / 1000);
    return { ...summarise(samples), runs: 1 };
  }
  for (let warmUp = 0; warmUp < 3; warmUp++) {
    const runs = runsFor(SAMPLE_MILLISECONDS / 2, milliseconds);
    milliseconds = (await time(runs)) / runs;
  }
  const runs = runsFor(SAMPLE_MILLISECONDS, milliseconds);
  const samples = [];
  while (samples.length < SAMPLES) samples.push((await time(runs)) / runs / 1000);
  return { ...summarise(samples), runs };
}

const runsFor = (wanted, milliseconds) => Math.max(1, Math.min(MOST_RUNS, Math.round(wanted / milliseconds)));

/** Median, smallest and largest of samples, of which there is at least one. */
export function summarise(samples) {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
  return { median, min: sorted[0], max: sorted[sorted.length - 1], samples: sorted.length };
}

/** One subject of several: a run is a run of each, one after the other. */
export function inTurn(subjects) {
  const each = (name) => async (argument) => {
    for (const subject of subjects) await subject[name]?.(argument);
  };
  const finish = subjects.some((subject) => subject.finish) ? each("finish") : undefined;
  const dispose = () => subjects.forEach((subject) => subject.dispose?.());
  return { run: each("run"), finish, check: each("check"), dispose };
}
