import type { Recording } from "../src/tensor/index.js";

/** How a recording is timed. */
export interface Sampling {
  /** What one sample lasts, in milliseconds; a single run where that takes longer. */
  readonly milliseconds: number;
  readonly samples: number;
  /** What is run before the first sample, in milliseconds: for clocks that rise under load. */
  readonly warmUp: number;
}

export const quickSampling: Sampling = { milliseconds: 200, samples: 5, warmUp: 150 };
export const fullSampling: Sampling = { milliseconds: 500, samples: 11, warmUp: 500 };

/** Where one run takes longer than this many milliseconds, three samples have to do. */
const LONG = 1000;

/** Milliseconds of work in one submit on hardware, so that the device works while the next submit is encoded. */
const SUBMIT_MILLISECONDS = 25;

/**
 * Times a recording: seconds of one run in each sample. A sample is as many runs as fill it, from before the first
 * submit until the device is done; the device has compiled and warmed up before.
 *
 * On a software driver all runs of a sample are one submit, since it shares its cores with the encoding. On hardware
 * they are several submits, one queued behind the other.
 * @throws the signal's reason, between samples.
 */
export async function measure(
  recording: Recording<unknown>,
  sampling: Sampling,
  signal?: AbortSignal,
): Promise<number[]> {
  const { device } = recording;
  const { software } = device.info;
  /** Milliseconds of one of `runs` runs. */
  const time = async (runs: number, inSubmit = runs) => {
    signal?.throwIfAborted();
    const start = performance.now();
    for (let left = runs; left > 0; left -= inSubmit) recording.run(Math.min(left, inSubmit));
    await device.finish();
    return (performance.now() - start) / runs;
  };
  // The driver puts off some of the compilation until the first run.
  await time(1);
  let each = await time(1);
  const runsFor = (milliseconds: number) => Math.max(1, Math.round(milliseconds / each));
  for (let warm = each; warm < sampling.warmUp;) {
    const runs = runsFor(Math.min(sampling.milliseconds, sampling.warmUp) / 2);
    each = await time(runs);
    warm += runs * each;
  }

  const runs = runsFor(sampling.milliseconds);
  const inSubmit = software ? runs : runsFor(SUBMIT_MILLISECONDS);
  const count = each > LONG ? Math.min(3, sampling.samples) : sampling.samples;
  const samples: number[] = [];
  for (let sample = 0; sample < count; sample++) {
    samples.push((await time(runs, inSubmit)) / 1000);
  }
  return samples;
}
