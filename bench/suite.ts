import type { Device } from "../src/tensor/index.js";
import { units, type Case } from "./cases/index.js";
import { ratesOf, type Ceilings } from "./ceilings/index.js";
import { measure, type Sampling } from "./measure.js";
import type { Profile, Row } from "./report.js";
import { summarise } from "./statistics.js";

/** Cases of a run: those whose names hold `filter`, of the quick or the full list. */
export function chooseCases(
  cases: readonly Case[],
  { filter, full, software }: { filter: string; full: boolean; software: boolean },
): Case[] {
  return cases.filter((entry) => entry.name.includes(filter) && (full || !entry.full) && !(software && entry.hardware));
}

/** For each case every variant of its kernel that the device can run; cases without variants are left out. */
export function variantsOf(cases: readonly Case[], { capabilities }: Device): Case[] {
  return cases.flatMap((entry) => entry.variants?.(capabilities) ?? []);
}

/** A row from the seconds of single runs. */
export function rowOf(
  { name, work }: Pick<Case, "name" | "work">,
  samples: readonly number[],
  ceilings: Ceilings,
  profile: Profile,
): Row {
  const rates = ratesOf(samples, work.amount / units[work.unit]);
  const seconds = summarise(samples).median;
  const done = work.cost / seconds / 1e9;
  return {
    name,
    profile,
    unit: work.unit,
    rate: rates.median,
    lowest: rates.lowest,
    highest: rates.highest,
    milliseconds: 1000 * seconds,
    samples: samples.map((sample) => 1000 * sample),
    bound: work.bound,
    work: done,
    share: done / ceilings[work.bound].median,
  };
}

/** Records and times one case, and frees it. */
export async function measureCase(
  device: Device,
  entry: Case,
  { sampling, ceilings, profile }: { sampling: Sampling; ceilings: Ceilings; profile: Profile },
  signal?: AbortSignal,
): Promise<Row> {
  const { recording, dispose } = await entry.record(device);
  try {
    return rowOf(entry, await measure(recording, sampling, signal), ceilings, profile);
  } finally {
    dispose();
  }
}
