import type { Result } from "./protocol.mjs";
import type { Workload } from "./workloads.mjs";

export function formatRate(value: number): string;
export function formatRatio(value: number): string;
export function formatMeasured(
  workload: Pick<Workload, "work" | "unit">,
  timing: { median: number; min: number; max: number },
): string;
export function formatComparison(
  workloads: readonly Pick<Workload, "name" | "work" | "unit">[],
  engines: readonly string[],
  results: ReadonlyMap<string, ReadonlyMap<string, Result>>,
): string;
