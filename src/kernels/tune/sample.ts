import type { Recording } from "../../tensor/recording.js";

/** The device did not answer in time, or is lost: it can measure nothing any more. */
export class NoAnswerError extends Error {}

/** How candidates are timed. */
export interface Sampling {
  /** What a sample lasts at least, at the speed of the warm-up: many runs where one takes less. */
  readonly milliseconds: number;
  readonly samples: number;
  /** Milliseconds to wait for a compilation, a run or a sample. */
  readonly patience: number;
}

/** How candidates are timed unless told otherwise: 5 samples of 30 ms, with a patience of 30 s. */
export const defaultSampling: Sampling = { milliseconds: 30, samples: 5, patience: 30_000 };

/**
 * Waits for `promise`.
 * @throws NoAnswerError after `milliseconds`.
 */
export async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new NoAnswerError(`no answer within ${milliseconds / 1000} s`));
    }, milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Submits of a sample on hardware, so that the device works on one while the next is encoded, as in a replay: of a single
 * submit it would be the encoding that is measured too, which takes as long as a small kernel. A software driver shares
 * its cores with the encoding, and gets one.
 */
const SUBMITS = 10;

/** Measures a recording again and again: a sample is as many runs as fill it. */
export class Sampler {
  readonly milliseconds: number[] = [];
  private runs = 1;

  constructor(
    private readonly recording: Recording<unknown>,
    private readonly sampling: Sampling,
  ) {}

  /** Finds out how many runs fill a sample, and lets the driver do what it puts off until a kernel has run for a while. */
  async warmUp(): Promise<void> {
    const { milliseconds } = this.sampling;
    for (;;) {
      const last = await this.time();
      if (last >= milliseconds) return;
      this.runs = Math.ceil(this.runs * Math.min(8, (1.2 * milliseconds) / Math.max(last, 0.01)));
    }
  }

  async sample(): Promise<void> {
    this.milliseconds.push((await this.time()) / this.runs);
  }

  private async time(): Promise<number> {
    const start = performance.now();
    const inSubmit = this.recording.device.info.software ? this.runs : Math.ceil(this.runs / SUBMITS);
    for (let left = this.runs; left > 0; left -= inSubmit) this.recording.run(Math.min(left, inSubmit));
    await within(this.recording.device.finish(), this.sampling.patience);
    return performance.now() - start;
  }
}
