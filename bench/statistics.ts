/** Middle, ends and number of what was measured. */
export interface Summary {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

/** Median (the mean of the middle two of an even number), smallest and largest of at least one number. */
export function summarise(samples: readonly number[]): Summary {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
  return { median, lowest: sorted[0], highest: sorted[sorted.length - 1] };
}
