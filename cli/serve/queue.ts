import { Refusal } from "./refusal.js";

/** Predicts images (N C H W, 8 bits): one row of probabilities an image. */
export type Predict = (pixels: Uint8Array) => Promise<Float32Array>;

interface Waiting {
  readonly pixels: Uint8Array;
  readonly count: number;
  resolve(rows: Float32Array): void;
  reject(error: unknown): void;
}

export interface QueueOptions {
  readonly classes: number;
  /** Most images that are predicted together. */
  readonly batch: number;
  /** Most images that may wait; requests beyond them are sent away. */
  readonly room: number;
}

/** Requests wait here for the device, which does one thing at a time; those that wait together are predicted together. */
export class PredictionQueue {
  private readonly waiting: Waiting[] = [];
  private images = 0;
  private working = false;

  constructor(
    private readonly predict: Predict,
    private readonly options: QueueOptions,
  ) {}

  /**
   * @param count number of the images, at most `batch`
   * @throws Refusal (503) where too many wait already
   */
  async add(pixels: Uint8Array, count: number): Promise<Float32Array> {
    const { room } = this.options;
    if (this.images + count > room) {
      throw new Refusal(503, `${this.images} images wait already; come again`, { "retry-after": "1" });
    }
    this.images += count;
    return new Promise((resolve, reject) => {
      this.waiting.push({ pixels, count, resolve, reject });
      if (!this.working) void this.work();
    });
  }

  private async work(): Promise<void> {
    this.working = true;
    // Requests that came in the same turn of the event loop go together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) {
      const together = this.take();
      try {
        const rows = await this.predict(concatenate(together));
        let at = 0;
        for (const { count, resolve } of together) {
          resolve(rows.subarray(at * this.options.classes, (at += count) * this.options.classes));
        }
      } catch (error) {
        for (const { reject } of together) reject(error);
      }
      for (const { count } of together) this.images -= count;
    }
    this.working = false;
  }

  /** The requests at the head of the queue that fit in a batch: one at least. */
  private take(): Waiting[] {
    let images = 0;
    const end = this.waiting.findIndex(({ count }, at) => (images += count) > this.options.batch && at > 0);
    return this.waiting.splice(0, end < 0 ? this.waiting.length : end);
  }
}

function concatenate(parts: readonly Waiting[]): Uint8Array {
  if (parts.length === 1) return parts[0].pixels;
  const all = new Uint8Array(parts.reduce((sum, { pixels }) => sum + pixels.length, 0));
  let at = 0;
  for (const { pixels } of parts) {
    all.set(pixels, at);
    at += pixels.length;
  }
  return all;
}
