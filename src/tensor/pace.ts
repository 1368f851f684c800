/** What one submit should take: long enough to hide launch costs, short enough that Ctrl-C answers at once. */
const SUBMIT_MILLISECONDS = 250;

/** How fast a recording runs: adapts the size of its submits. */
export class Pace {
  /** Runs in the next submit. */
  runs = 1;

  /** Takes note of how long `runs` runs took. */
  measured(runs: number, milliseconds: number): void {
    const fitting = Math.round((SUBMIT_MILLISECONDS * runs) / Math.max(milliseconds, 0.01));
    this.runs = Math.max(1, Math.min(4 * this.runs, fitting));
  }
}
