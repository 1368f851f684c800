/** Longest wait between two attempts that the teacher did not ask for, in seconds. */
const LONGEST_BACKOFF = 60;

/** Most milliseconds that a timer holds; one that is given more ends at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/** Spaces requests in time: at most so many a second, and none while the teacher asks to wait. */
export class Pacer {
  private next = 0;

  /** @param requestsPerSecond no limit where absent */
  constructor(private readonly requestsPerSecond = Infinity) {}

  /** Waits for this request's turn. */
  async turn(signal?: AbortSignal): Promise<void> {
    for (let now = performance.now(); now < this.next; now = performance.now()) {
      await sleep((this.next - now) / 1000, signal);
    }
    signal?.throwIfAborted();
    this.next = Math.max(this.next, performance.now()) + 1000 / this.requestsPerSecond;
  }

  /** Lets no request go for so many seconds. */
  pause(seconds: number): void {
    this.next = Math.max(this.next, performance.now() + seconds * 1000);
  }
}

/**
 * Seconds before the next attempt: exponential backoff with full jitter, so that requests that failed together do not
 * come back together (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 * @param failed attempts so far, from 1
 */
export function backoff(base: number, failed: number): number {
  return Math.random() * Math.min(LONGEST_BACKOFF, base * 2 ** (failed - 1));
}

/** @throws what aborted the signal, as soon as it is */
export function sleep(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const wake = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", wake);
      if (signal?.aborted) reject(signal.reason as Error);
      else resolve();
    };
    // The caller looks at the clock again.
    const timer = setTimeout(wake, Math.min(seconds * 1000, LONGEST_TIMER));
    signal?.addEventListener("abort", wake);
  });
}
