import type { Phase } from "../src/activemixup/index.js";

/** What a run tells its progress of. */
type Work = Phase | "holdout" | "test";

/** What is counted in each. */
export const units: Readonly<Record<Work, string>> = {
  prepare: "",
  select: "pairs",
  query: "queries",
  train: "steps",
  evaluate: "images",
  holdout: "queries",
  test: "queries",
};

/** What a line of progress calls it: held-out and test images belong to no round. */
export function labelOf(work: Work, round: number): string {
  if (work === "holdout") return "held-out images";
  if (work === "test") return "test images";
  return `round ${round} ${work}`;
}
