import type { Device } from "../../tensor/device.js";
import type { Problem } from "../../tensor/problem.js";
import { measureProblem, LostError } from "./contest.js";
import type { Measured } from "./measured.js";
import { defaultSampling, type Sampling } from "./sample.js";

/** How {@link tune} measures, whom it tells, and what stops it. */
export interface TuneOptions {
  readonly sampling?: Sampling;
  /** Seed of the inputs' values, and of the rows that are checked of large problems; 1 where absent. */
  readonly seed?: number;
  /** Ends the measuring early; the problem in hand is then left out. */
  readonly signal?: AbortSignal;
  /** Candidates done, of all. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Takes each problem's result as soon as it is there; waited for. */
  readonly onMeasured?: (measured: Measured) => Promise<void> | void;
}

/**
 * Measures which candidate is the fastest for each problem. First each candidate's result is held against the CPU
 * reference, over memory that starts as NaN; one that differs, fails, or does not answer is out, with the reason. Then
 * the others are timed in turns, so that what slows the device for a while slows all of them.
 * @param open gives a device with poisoned memory: `openDevice("webgpu", { poison: true })`. Called again after a
 * candidate that the device does not recover from.
 * @returns what was measured until the end or the abort
 */
export async function tune(
  open: () => Promise<Device>,
  problems: readonly Problem[],
  options: TuneOptions = {},
): Promise<Measured[]> {
  const { sampling = defaultSampling, seed = 1, signal, onProgress, onMeasured } = options;
  const total = problems.reduce((sum, { candidates }) => sum + candidates.length, 0);
  const all: Measured[] = [];
  let before = 0;
  let device = await open();
  try {
    for (const problem of problems) {
      const { key, byRule, candidates } = problem;
      const onCandidates = (done: number) => onProgress?.(before + done, total);
      const failures = new Map<string, string>();
      for (let measured: Measured | undefined; !measured;) {
        try {
          const timings = await measureProblem(device, problem, failures, { sampling, seed, signal, onCandidates });
          measured = { key, byRule, date: new Date().toISOString(), timings };
          all.push(measured);
          await onMeasured?.(measured);
        } catch (error) {
          if (!(error instanceof LostError)) throw error;
          failures.set(error.variant, error.message);
          device.destroy();
          device = await open();
        }
      }
      before += candidates.length;
    }
  } catch (error) {
    if (!signal?.aborted || error !== signal.reason) throw error;
  } finally {
    device.destroy();
  }
  return all;
}
