import type { Recording } from "../src/tensor/index.js";

/** Seconds of one run of a recording. */
export interface Timing {
  readonly median: number;
  readonly fastest: number;
  readonly slowest: number;
}

/** How long one sample lasts and how many there are. */
export interface Sampling {
  readonly milliseconds: number;
  readonly samples: number;
}

export const quickSampling: Sampling = { milliseconds: 300, samples: 5 };

/**
 * Times a recording on the device, compiled and warmed up before: each sample is one submit of as many runs as fill it,
 * from before the submit until the device is done.
 */
export async function measure(recording: Recording<unknown>, sampling: Sampling = quickSampling): Promise<Timing> {
  const { device } = recording;
  const time = async (runs: number, expected: number) => {
    const start = performance.now();
    recording.run(runs);
    await device.finish(expected);
    return (performance.now() - start) / runs;
  };
  await time(1, 0);
  let milliseconds = await time(2, 0);
  for (let warmUp = 0; warmUp < 2; warmUp++) {
    milliseconds = await time(Math.max(1, Math.round(sampling.milliseconds / 2 / milliseconds)), 0);
  }
  const runs = Math.max(1, Math.round(sampling.milliseconds / milliseconds));
  const samples: number[] = [];
  for (let sample = 0; sample < sampling.samples; sample++) {
    // Well below the shortest time seen: a sample must not be measured by its sleep.
    const shortest = runs * Math.min(milliseconds, ...samples.map((seconds) => 1000 * seconds));
    samples.push((await time(runs, 0.7 * shortest)) / 1000);
  }
  samples.sort((a, b) => a - b);
  return { median: samples[Math.floor(samples.length / 2)], fastest: samples[0], slowest: samples[samples.length - 1] };
}
