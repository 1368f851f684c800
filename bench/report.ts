import { InputError } from "../src/errors.js";
import type { DeviceInfo } from "../src/tensor/index.js";
import type { Bound, Unit } from "./cases/index.js";
import type { Ceilings } from "./ceilings/index.js";

/** Dawn's toggles: `safe` keeps its validation and bounds checks, `fast` leaves them out. */
export type Profile = "safe" | "fast";

/** What was measured of one case. */
export interface Row {
  readonly name: string;
  readonly profile: Profile;
  readonly unit: Unit;
  /** Median, slowest and quickest sample, in the unit. */
  readonly rate: number;
  readonly lowest: number;
  readonly highest: number;
  /** Median of one run. */
  readonly milliseconds: number;
  /** One run of each sample, in milliseconds, in order. */
  readonly samples: readonly number[];
  readonly bound: Bound;
  /** GFLOP/s or GB/s of the median, as the bound says. */
  readonly work: number;
  /** `work` as a share of the bound's ceiling. */
  readonly share: number;
}

/** Where and with what the rows were measured. */
export interface Setting {
  readonly date: string;
  readonly profile: Profile;
  readonly device: DeviceInfo;
  /** Problems whose variant was measured on the device; for all others a rule chooses it. */
  readonly tuned: number;
  /** What implements WebGPU, with its version. */
  readonly dawn: string;
  readonly node: string;
  readonly system: string;
  readonly cpus: string;
}

/** What `--json` prints. */
export interface Report extends Setting {
  readonly suite: "quick" | "full";
  readonly ceilings: Ceilings;
  readonly rows: readonly Row[];
}

/** What a comparison needs of a report: older ones may hold no more. */
export type ComparableRow = Pick<Row, "name" | "unit" | "rate" | "lowest" | "highest"> & Partial<Pick<Row, "profile">>;
export type ComparableReport = Partial<Setting> & { readonly rows: readonly ComparableRow[] };

/**
 * A report that `--json` printed earlier.
 * @param source where it comes from, for the message: option and file
 * @throws InputError where the text is none.
 */
export function parseReport(text: string, source: string): ComparableReport {
  const refuse = (what: string) =>
    new InputError(`${source}: ${what}; write a report with \`npm run --silent bench -- --json > FILE\``);
  let report: unknown;
  try {
    report = JSON.parse(text);
  } catch (error) {
    throw refuse(`is not JSON (${(error as Error).message})`);
  }
  const { rows } = (report ?? {}) as { rows?: unknown };
  if (!Array.isArray(rows)) throw refuse("holds no rows of this benchmark");
  const wrong = rows.findIndex((row) => !isComparable(row));
  if (wrong >= 0) throw refuse(`row ${wrong + 1} has no name, unit, rate, lowest and highest`);
  return report as ComparableReport;
}

function isComparable(row: unknown): row is ComparableRow {
  const { name, unit, rate, lowest, highest } = (row ?? {}) as Record<string, unknown>;
  const texts = [name, unit].every((value) => typeof value === "string");
  return texts && [rate, lowest, highest].every((value) => typeof value === "number" && value > 0);
}
