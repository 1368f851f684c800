/** What one submit should take: long enough to hide launch costs, short enough that Ctrl-C answers at once. */
const SUBMIT_MILLISECONDS = 250;

/** A wait that ends so soon after its sleep shows that the work was done before: the sleep was too long. */
const OVERSLEPT = 0.93;

/** What is kept of a time that was overslept. The work took less than that, by how much is seen after a shorter sleep. */
const KEPT = 0.75;

/** How fast a recording runs: adapts the size of its submits, and how long to sleep before waiting for them. */
export class Pace {
  /** Runs in the next submit. */
  runs = 1;
  /** Of one run; unknown before a submit that compiled nothing. */
  private milliseconds: number | undefined;
  private measuredBefore = false;

  /** What `runs` runs probably take, in milliseconds; 0 where that is not known. */
  expected(runs: number): number {
    return runs * (this.milliseconds ?? 0);
  }

  /** Takes note of how long `runs` runs took. */
  measured(runs: number, milliseconds: number): void {
    const overslept = milliseconds < OVERSLEPT * this.expected(runs);
    // The first submit compiles what the driver puts off until then.
    this.milliseconds = this.measuredBefore ? ((overslept ? KEPT : 1) * milliseconds) / runs : undefined;
    this.measuredBefore = true;
    const fitting = Math.round((SUBMIT_MILLISECONDS * runs) / Math.max(milliseconds, 0.01));
    this.runs = Math.max(1, Math.min(4 * this.runs, fitting));
  }
}
