import type { Experiment } from "./file.js";
import { holdoutSize } from "../../src/activemixup/index.js";
import { holdoutShare } from "../distill/method.js";
import type { DistillCommandOptions } from "../distill/options.js";
import { version } from "../version.js";
import type { Settings } from "./same-options.js";
import { sharesOf, type CurvePoint, type Share } from "./curve.js";
import { curveOf, meanCurve, measures, type Measure, type RowResult } from "./row-result.js";

export interface TeacherResult {
  readonly file: string;
  /** On the test images. */
  readonly accuracy: number;
  readonly seconds: number;
  readonly command: string;
  /** All options of `train` that make it what it is. */
  readonly settings: Settings;
}

/** What `OUT/EXPERIMENT.json` holds. */
export interface ExperimentResults {
  readonly version: string;
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly reduced?: string | undefined;
  readonly data: Experiment["data"];
  readonly seeds: readonly number[];
  /** Absent before it is trained. */
  readonly teacher?: TeacherResult | undefined;
  readonly rows: readonly RowResult[];
  readonly judge: Experiment["judge"];
  /** Name of the row that others are compared with, unless they name one of their own. */
  readonly baseline?: string | undefined;
  /** How many queries rows need beside others. */
  readonly shares?: Partial<Record<Measure, readonly Comparison[]>> | undefined;
}

/** Rows that are compared with the same one, their baseline. */
export interface Comparison {
  readonly baseline: string;
  /**
   * What each needs of the baseline's queries, by its name, the baseline too, over the seeds that both have finished. Where
   * held-out images are the judge, queries are counted without those about them: they train nobody, and would make all
   * shares alike.
   */
  readonly shares: Readonly<Record<string, readonly Share[]>>;
}

/** An experiment's results, of what is finished. */
export function experimentResults(
  experiment: Experiment,
  rows: readonly RowResult[],
  teacher: TeacherResult | undefined,
): ExperimentResults {
  const { name, title, about, reduced, data, seeds, judge, baseline } = experiment;
  const baselines = [...new Set(rows.flatMap((row) => row.baseline ?? []))];
  const comparisons = (measure: Measure) => baselines.map((name) => compare(rows, name, measure, judge));
  return {
    ...{ version, name, title, about, reduced, data, seeds, teacher, rows, judge, baseline },
    ...(baselines.length > 0
      ? { shares: Object.fromEntries(measures.map((measure) => [measure, comparisons(measure)])) }
      : {}),
  };
}

function compare(
  rows: readonly RowResult[],
  baseline: string,
  measure: Measure,
  judge: Experiment["judge"],
): Comparison {
  const base = rows.find(({ name }) => name === baseline)!;
  const curve = (row: RowResult, other: RowResult): CurvePoint[] =>
    meanCurve(withSeedsOf(other, row), measure).map(({ queries, value }) => ({
      queries: judge === "holdout" ? queries - heldOutOf(row) : queries,
      value,
    }));
  const compared = rows.filter((row) => row === base || row.baseline === baseline);
  return {
    baseline,
    shares: Object.fromEntries(compared.map((row) => [row.name, sharesOf(curve(row, base), curve(base, row))])),
  };
}

/** A row's runs and curve, of the seeds alone that another has finished too: seeds differ by more than rows do. */
function withSeedsOf(other: RowResult, { runs }: RowResult): Pick<RowResult, "runs" | "curve"> {
  const common = runs.filter(({ seed }) => other.runs.some((run) => run.seed === seed));
  return { runs: common, curve: curveOf(common) };
}

/** Images that each run of a row holds out where they are the judge. */
function heldOutOf({ settings }: RowResult): number {
  const { n, holdout } = settings as Pick<DistillCommandOptions, "n" | "holdout">;
  return holdoutSize(n!, holdoutShare({ holdout, test: undefined }));
}
