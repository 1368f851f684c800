import type { Device } from "../src/tensor/index.js";
import { units, type Case } from "./cases/index.js";
import { CeilingMeter, ratesOf, type Ceilings } from "./ceilings/index.js";
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

/** A row from the seconds of single runs, without its share. */
export function rowOf(
  { name, work }: Pick<Case, "name" | "work">,
  samples: readonly number[],
  profile: Profile,
): Omit<Row, "share"> {
  const rates = ratesOf(samples, work.amount / units[work.unit]);
  const seconds = summarise(samples).median;
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
    work: work.cost / seconds / 1e9,
  };
}

/** The rows with their work as a share of the ceiling that bounds each. */
export function withShares(rows: readonly Omit<Row, "share">[], ceilings: Ceilings): Row[] {
  return rows.map((row) => ({ ...row, share: row.work / ceilings[row.bound].best }));
}

/** Rows between two passes over the ceilings. */
const ROWS_BETWEEN = 10;

/** What {@link runSuite} found; where it was interrupted, as far as it came. */
export interface SuiteResult {
  readonly ceilings: Ceilings;
  readonly rows: readonly Row[];
}

/**
 * Measures the ceilings, then the cases one after the other, each recorded, timed and freed, and the ceilings again after
 * every ten rows and at the end.
 * @param onCase told of each case before it is measured, with the number of those before it
 * @throws the signal's reason where it is aborted before the first row is measured
 */
export async function runSuite(
  device: Device,
  cases: readonly Case[],
  sampling: Sampling,
  profile: Profile,
  { signal, onCase }: { signal?: AbortSignal; onCase?: (entry: Case, done: number) => void } = {},
): Promise<SuiteResult> {
  const meter = await CeilingMeter.create(device);
  const rows: Omit<Row, "share">[] = [];
  try {
    await meter.measure(sampling, signal);
    for (const entry of cases) {
      onCase?.(entry, rows.length);
      const { recording, dispose } = await entry.record(device);
      try {
        rows.push(rowOf(entry, await measure(recording, sampling, signal), profile));
      } finally {
        dispose();
      }
      if (rows.length % ROWS_BETWEEN === 0 || rows.length === cases.length) await meter.measure(sampling, signal);
    }
  } catch (error) {
    if (!signal?.aborted || rows.length === 0) throw error;
  } finally {
    meter.dispose();
  }
  return { ceilings: meter.ceilings, rows: withShares(rows, meter.ceilings) };
}
