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

/**
 * A variant takes the place of the rule's only where it is faster by this share, by its median and by its fastest sample:
 * less is lost in the noise. By medians alone, two of three winners for LeNet-5 were none (lavapipe on two shared cores,
 * where samples of one kernel differ by half, 2026-11).
 */
export const GAIN = 0.05;

/** A candidate whose first sample takes this many times the shortest is measured no further. */
const HOPELESS = 3;

/** The middle one of some numbers, or the mean of the two in the middle. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
}

/** Median milliseconds of one run of a variant; `undefined` where it was not measured or failed. */
export function millisecondsOf({ timings }: Pick<Measured, "timings">, variant: string): number | undefined {
  const samples = samplesOf(timings, variant);
  return samples.length > 0 ? median(samples) : undefined;
}

function samplesOf(timings: Measured["timings"], variant: string): readonly number[] {
  const timing = Object.hasOwn(timings, variant) ? timings[variant] : { failure: "not measured" };
  return "milliseconds" in timing ? timing.milliseconds : [];
}

/**
 * The variant to run: the fastest, but that of the rule where no other is faster by `GAIN`. A variant that fails is
 * never it, unless all do: then it is that of the rule.
 */
export function winnerOf({ byRule, timings }: Pick<Measured, "byRule" | "timings">): string {
  const rule = samplesOf(timings, byRule);
  let winner = byRule;
  let least = Infinity;
  for (const variant of Object.keys(timings)) {
    const samples = samplesOf(timings, variant);
    if (samples.length === 0 || median(samples) >= least || !isFaster(samples, rule)) continue;
    [winner, least] = [variant, median(samples)];
  }
  return winner;
}

/** Whether samples are those of a faster variant; any is faster than one without samples. */
function isFaster(samples: readonly number[], than: readonly number[]): boolean {
  if (than.length === 0) return true;
  return [median, (numbers: readonly number[]) => Math.min(...numbers)].every(
    (statistic) => statistic(samples) <= (1 - GAIN) * statistic(than),
  );
}

/** Of candidates' first samples, in milliseconds, the indices of those worth measuring further. */
export function worthwhile(firstSamples: readonly number[]): number[] {
  const most = HOPELESS * Math.min(...firstSamples);
  return [...firstSamples.keys()].filter((index) => firstSamples[index] <= most);
}
