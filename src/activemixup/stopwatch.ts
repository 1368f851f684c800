/** What a run spends its time on; `prepare` is finding neighbours, recording and compiling. */
export type Phase = "prepare" | "select" | "query" | "train" | "evaluate";

/** Seconds by phase. */
export type PhaseSeconds = Record<Phase, number>;

/** Adds up the time spent in each phase. */
export class Stopwatch {
  private readonly spent: PhaseSeconds = { prepare: 0, select: 0, query: 0, train: 0, evaluate: 0 };

  async time<T>(phase: Phase, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.spent[phase] += (performance.now() - start) / 1000;
    }
  }

  /** Seconds so far. */
  get seconds(): PhaseSeconds {
    return { ...this.spent };
  }
}

/** The seconds of several watches together. */
export function addSeconds(parts: readonly PhaseSeconds[]): PhaseSeconds {
  const total = new Stopwatch().seconds;
  for (const part of parts) for (const phase of Object.keys(total) as Phase[]) total[phase] += part[phase];
  return total;
}
