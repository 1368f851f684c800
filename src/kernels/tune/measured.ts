/** What was measured of one candidate: milliseconds of a run in each sample, or why it is out of the question. */
export type Timing = { readonly milliseconds: readonly number[] } | { readonly failure: string };

/** What was measured of a problem. */
export interface Measured {
  readonly key: string;
  /** The variant that runs where nothing was measured. */
  readonly byRule: string;
  /** When it was measured: ISO 8601. */
  readonly date: string;
  /** By variant. */
  readonly timings: Readonly<Record<string, Timing>>;
}

/** A variant takes the place of the rule's only where it is faster by this share: less is lost in the noise. */
export const GAIN = 0.05;

/** A candidate whose first sample takes this many times the shortest is measured no further. */
const HOPELESS = 3;

/** The middle one of some numbers, or the mean of the two in the middle. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
}

/** Milliseconds of one run of a variant; `undefined` where it was not measured or failed. */
export function millisecondsOf({ timings }: Pick<Measured, "timings">, variant: string): number | undefined {
  const timing = Object.hasOwn(timings, variant) ? timings[variant] : undefined;
  return timing && "milliseconds" in timing ? median(timing.milliseconds) : undefined;
}

/**
 * The variant to run: the fastest, but that of the rule where no other is faster by {@link GAIN}. A variant that fails is
 * never it, unless all do: then it is that of the rule.
 */
export function winnerOf(measured: Pick<Measured, "byRule" | "timings">): string {
  const { byRule, timings } = measured;
  const limit = (millisecondsOf(measured, byRule) ?? Infinity) * (1 - GAIN);
  let winner = byRule;
  let least = Infinity;
  for (const variant of Object.keys(timings)) {
    const milliseconds = millisecondsOf(measured, variant) ?? Infinity;
    if (variant === byRule || milliseconds > limit || milliseconds >= least) continue;
    [winner, least] = [variant, milliseconds];
  }
  return winner;
}

/** Of candidates' first samples, in milliseconds, the indices of those worth measuring further. */
export function worthwhile(firstSamples: readonly number[]): number[] {
  const most = HOPELESS * Math.min(...firstSamples);
  return [...firstSamples.keys()].filter((index) => firstSamples[index] <= most);
}
