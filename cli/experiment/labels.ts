import type { RowResult } from "./row-result.js";

/** `seed 0`, `seeds 1, 2`. */
export function seedList(seeds: readonly number[]): string {
  return `seed${seeds.length === 1 ? "" : "s"} ${seeds.join(", ")}`;
}

/** A row's name, and of which seeds it is where not all are finished: others' means are not to be put beside it. */
export function rowLabel({ name, runs, missing }: Pick<RowResult, "name" | "runs" | "missing">): string {
  if (runs.length === 0 || missing.length === 0) return name;
  return `${name} (${seedList(runs.map(({ seed }) => seed))})`;
}
