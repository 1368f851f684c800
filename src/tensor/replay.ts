import { expectTimes, type Recording } from "./recording.js";

/** Submits that are queued at once, so that the device never waits for the next. */
const MOST_IN_FLIGHT = 2;

/** Hears of a {@link replay}, and may end it. */
export interface ReplayOptions {
  /** Called between submits with the number of runs done so far. */
  onProgress?: (done: number) => void;
  /** Stops between submits; `replay` then throws the signal's reason. */
  signal?: AbortSignal;
}

/**
 * Runs a recording `times` times, many runs in one submit, with the number in a submit adapted to the device's speed.
 * Nothing is read back. The next submit is queued before the last is done, so that the queue never runs dry.
 * @param times whole number from 0 up
 * @throws RangeError where it is none; what {@link Recording.run} throws; DeviceError where the device is lost; the
 * signal's reason where it was aborted before all was queued
 */
export async function replay(
  recording: Recording<unknown>,
  times: number,
  { onProgress, signal }: ReplayOptions = {},
): Promise<void> {
  expectTimes("replay", times);
  const { device, pace } = recording;
  const inFlight: { runs: number; finished: Promise<void> }[] = [];
  let done = 0;
  let last = performance.now();
  const settleOldest = async () => {
    const { runs, finished } = inFlight.shift()!;
    await finished;
    const now = performance.now();
    pace.measured(runs, now - last);
    last = now;
    done += runs;
    onProgress?.(done);
  };
  try {
    for (let queued = 0; queued < times && !signal?.aborted;) {
      const runs = Math.min(pace.runs, times - queued);
      recording.run(runs);
      inFlight.push({ runs, finished: device.finish() });
      queued += runs;
      if (inFlight.length === MOST_IN_FLIGHT) await settleOldest();
    }
    while (inFlight.length > 0) await settleOldest();
  } finally {
    // After an error the others would fail unheard.
    for (const { finished } of inFlight) finished.catch(() => undefined);
  }
  if (done < times) signal?.throwIfAborted();
}
