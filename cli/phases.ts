import type { DistillOptions, Phase } from "../src/activemixup/index.js";

/** What a run tells its progress of. */
type Work = Phase | "holdout" | "test";

const units = {
  prepare: "pairs",
  query: "queries",
  train: "steps",
  evaluate: "images",
  holdout: "queries",
  test: "queries",
} as const;

/** What is counted in each: of blends the pairs that they are made of, of other candidates each image. */
export function unitOf(work: Work, { candidates }: Pick<DistillOptions, "candidates">): string {
  if (work === "select") return candidates === "mix" ? "pairs" : "images";
  return units[work];
}

/** What a line of progress calls it: held-out and test images belong to no round. */
export function labelOf(work: Work, round: number): string {
  if (work === "prepare") return "images compared";
  if (work === "holdout") return "held-out images";
  if (work === "test") return "test images";
  return `round ${round} ${work}`;
}
