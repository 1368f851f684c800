import type { Experiment, ExperimentRow } from "./file.js";
import { holdoutSize, type RoundReport } from "../../src/activemixup/index.js";
import { holdoutShare } from "../distill/method.js";
import type { DistillCommandOptions } from "../distill/options.js";
import type { Summary } from "../distill/summary.js";
import { version } from "../version.js";
import type { Settings } from "./same-options.js";
import { sharesOf, spreadOf, type CurvePoint, type Share, type Spread } from "./curve.js";

/** A finished run. */
export interface RunResult {
  readonly seed: number;
  readonly folder: string;
  /** The command that does the same. */
  readonly command: string;
  /** Images that have answers, those held out included. */
  readonly queries: number;
  readonly accuracy?: number | undefined;
  readonly agreement?: number | undefined;
  /** On held-out images, in nats. */
  readonly divergence?: number | undefined;
  readonly teacherAccuracy?: number | undefined;
  /** Of all its phases. */
  readonly seconds: number;
  readonly device: string;
  readonly stopped?: Summary["stopped"];
  readonly rounds: readonly Pick<RoundReport, "queries" | "pseudoLabels" | "steps" | "test" | "holdout">[];
}

/** What a row had come to after a round that ended with so many queries. */
export interface RowPoint {
  readonly queries: number;
  readonly accuracy?: Spread | undefined;
  readonly agreement?: Spread | undefined;
  readonly divergence?: Spread | undefined;
}

/** A row, over its seeds that are finished. */
export interface RowResult {
  readonly name: string;
  readonly options: ExperimentRow["options"];
  /** All options of `distill` that make its runs what they are, with the defaults and recipes of then. */
  readonly settings: Settings;
  readonly runs: readonly RunResult[];
  /** Seeds of the experiment that are not finished. */
  readonly missing: readonly number[];
  readonly queries?: Spread | undefined;
  readonly accuracy?: Spread | undefined;
  readonly agreement?: Spread | undefined;
  readonly divergence?: Spread | undefined;
  readonly seconds?: Spread | undefined;
  readonly curve: readonly RowPoint[];
}

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
  readonly baseline?: string | undefined;
  /**
   * Against the baseline, by the name of the row, over the seeds that both have finished. Where held-out images are the
   * judge, queries are counted without those about them: they train nobody, and would make all shares alike.
   */
  readonly shares?: Partial<Record<Measure, Readonly<Record<string, readonly Share[]>>>> | undefined;
}

/** What students are measured by. */
export type Measure = "accuracy" | "agreement" | "divergence";
/** Those of which more is better. */
export const measures: readonly Measure[] = ["accuracy", "agreement"];

/** What a round came to: on the test images, or where there are none on those that were held out. */
function measured({ test, holdout }: RunResult["rounds"][number], measure: Measure): number | undefined {
  if (measure === "accuracy" || test) return measure === "divergence" ? undefined : test?.[measure];
  return holdout?.[measure].value;
}

/** What a finished run came to. */
export function runResult(seed: number, folder: string, command: string, summary: Summary): RunResult {
  const { queries, student, teacher, seconds, stopped, rounds, device } = summary;
  // Of the last round: that of the round that was kept is a maximum, and so too good.
  const holdout = student.agreement === undefined ? rounds.at(-1)?.holdout : undefined;
  return {
    ...{ seed, folder, command, queries, stopped },
    accuracy: student.accuracy,
    agreement: student.agreement ?? holdout?.agreement.value,
    divergence: holdout?.divergence.value,
    teacherAccuracy: teacher.accuracy,
    seconds: Object.values(seconds).reduce((sum, value) => sum + value, 0),
    device: device.driver || device.adapter,
    rounds: rounds.map(({ queries, pseudoLabels, steps, test, holdout }) => ({
      ...{ queries, pseudoLabels, steps, test, holdout },
    })),
  };
}

/** A row's means over seeds. */
export function rowResult(
  { name, options }: ExperimentRow,
  settings: Settings,
  seeds: readonly number[],
  runs: readonly RunResult[],
): RowResult {
  const over = (value: (run: RunResult) => number | undefined) =>
    spreadOf(runs.map(value).filter((one) => one !== undefined));
  return {
    ...{ name, options, settings, runs },
    missing: seeds.filter((seed) => !runs.some((run) => run.seed === seed)),
    queries: over((run) => run.queries),
    accuracy: over((run) => run.accuracy),
    agreement: over((run) => run.agreement),
    divergence: over((run) => run.divergence),
    seconds: over((run) => run.seconds),
    curve: curveOf(runs),
  };
}

/** Of rounds that ended with the same number of queries the last: a closing one asks nothing. */
export function latestOf<T extends { readonly queries: number }>(rounds: readonly T[]): T[] {
  return rounds.filter(({ queries }, at) => queries !== rounds[at + 1]?.queries);
}

/** Means after the rounds that ended with the same number of queries; of two of a run, the later. */
function curveOf(runs: readonly RunResult[]): RowPoint[] {
  const rounds = runs.flatMap((run) => latestOf(run.rounds));
  const budgets = [...new Set(rounds.map(({ queries }) => queries))].sort((a, b) => a - b);
  return budgets.map((queries) => {
    const these = rounds.filter((round) => round.queries === queries);
    const over = (measure: Measure) =>
      spreadOf(these.map((round) => measured(round, measure)).filter((value) => value !== undefined));
    return { queries, accuracy: over("accuracy"), agreement: over("agreement"), divergence: over("divergence") };
  });
}

/** An experiment's results, of what is finished. */
export function experimentResults(
  experiment: Experiment,
  rows: readonly RowResult[],
  teacher: TeacherResult | undefined,
): ExperimentResults {
  const { name, title, about, reduced, data, seeds, judge, baseline } = experiment;
  const base = rows.find((row) => row.name === baseline);
  const curve = (row: RowResult, other: RowResult, measure: Measure) =>
    meanCurve(withSeedsOf(other, row), measure).map(({ queries, value }) => ({
      queries: judge === "holdout" ? queries - heldOutOf(row) : queries,
      value,
    }));
  const shares = (measure: Measure) =>
    Object.fromEntries(rows.map((row) => [row.name, sharesOf(curve(row, base!, measure), curve(base!, row, measure))]));
  return {
    ...{ version, name, title, about, reduced, data, seeds, teacher, rows, judge, baseline },
    ...(base ? { shares: { accuracy: shares("accuracy"), agreement: shares("agreement") } } : {}),
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

/** The points of a row's curve that all its finished runs have a part in. */
export function meanCurve({ curve, runs }: Pick<RowResult, "curve" | "runs">, measure: Measure): CurvePoint[] {
  return curve.flatMap((point) => {
    const spread = point[measure];
    return spread?.count === runs.length ? [{ queries: point.queries, value: spread.mean }] : [];
  });
}
