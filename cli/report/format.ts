/** Numbers as reports show them. */
import { formatCount } from "../experiment/markdown.js";
import { formatTime } from "../progress.js";
import { percent } from "../table.js";

export { formatCount, formatTime, percent };

/** `83%`: a probability. */
export function rounded(share: number): string {
  return `${Math.round(100 * share)}%`;
}

/** Seconds of all phases together. */
export function totalSeconds(seconds: Readonly<Record<string, number>>): number {
  return Object.values(seconds).reduce((sum, value) => sum + value, 0);
}
