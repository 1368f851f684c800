import type { Recording } from "./recording.js";

export interface ReplayOptions {
  /** Called between submits with the number of runs done so far. */
  onProgress?: (done: number) => void;
  /** Stops between submits; `replay` then throws the signal's reason. */
  signal?: AbortSignal;
}

/** What one submit should take: long enough to hide launch costs, short enough that Ctrl-C answers at once. */
const SUBMIT_MILLISECONDS = 250;

/**
 * Runs a recording `times` times, many runs in one submit, with the number in a submit adapted to the device's speed.
 * Nothing is read back.
 */
export async function replay(
  recording: Recording<unknown>,
  times: number,
  { onProgress, signal }: ReplayOptions = {},
): Promise<void> {
  let inSubmit = 1;
  let millisecondsPerRun = 0;
  for (let done = 0; done < times;) {
    signal?.throwIfAborted();
    const count = Math.min(inSubmit, times - done);
    const start = performance.now();
    recording.run(count);
    await recording.device.finish(count * millisecondsPerRun);
    const measured = (performance.now() - start) / count;
    millisecondsPerRun = millisecondsPerRun === 0 ? measured : Math.min(measured, (millisecondsPerRun + measured) / 2);
    inSubmit = Math.max(1, Math.min(4 * inSubmit, Math.round(SUBMIT_MILLISECONDS / millisecondsPerRun)));
    done += count;
    onProgress?.(done);
  }
}
