/** Numbers as reports show them. */
import type { Estimate } from "../../src/activemixup/index.js";
import { formatCount } from "../experiment/markdown.js";
import { formatSeconds } from "../progress.js";
import { percent } from "../table.js";

export { formatCount, formatSeconds, percent };

/** `83%`: a probability. */
export function rounded(share: number): string {
  return `${Math.round(100 * share)}%`;
}

/** `97.50% (95.2 to 98.7)`, or without the interval where there is none. */
export function formatEstimate(estimate: Estimate | undefined): string {
  if (!estimate) return "–";
  const { value, low, high } = estimate;
  if (low === undefined || high === undefined) return percent(value);
  return `${percent(value)} (${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)})`;
}

/** Seconds of all phases together. */
export function totalSeconds(seconds: Readonly<Record<string, number>>): number {
  return Object.values(seconds).reduce((sum, value) => sum + value, 0);
}

/** Minutes and seconds where it took a minute, else seconds: `1:05`, `3.2 s`. */
export function formatTime(seconds: number): string {
  return seconds < 59.95 ? `${seconds.toFixed(1)} s` : formatSeconds(seconds);
}
