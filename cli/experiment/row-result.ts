import type { ExperimentRow } from "./file.js";
import type { RoundReport } from "../../src/activemixup/index.js";
import type { Summary } from "../distill/summary.js";
import type { Settings } from "./same-options.js";
import { spreadOf, type CurvePoint, type Spread } from "./curve.js";

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
  /** Name of the row that its queries are compared with. */
  readonly baseline?: string | undefined;
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
  const { queries, student, teacher, seconds, stopped, rounds, device, evaluation } = summary;
  // Where there was no test. Of the last round: that of the round that was kept is a maximum, and so too good.
  const holdout = evaluation === undefined ? rounds.at(-1)?.holdout : undefined;
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
  { name, options, baseline }: ExperimentRow,
  settings: Settings,
  seeds: readonly number[],
  runs: readonly RunResult[],
): RowResult {
  const over = (value: (run: RunResult) => number | undefined) =>
    spreadOf(runs.map(value).filter((one) => one !== undefined));
  return {
    ...{ name, options, baseline, settings, runs },
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
export function curveOf(runs: readonly RunResult[]): RowPoint[] {
  const rounds = runs.flatMap((run) => latestOf(run.rounds));
  const budgets = [...new Set(rounds.map(({ queries }) => queries))].sort((a, b) => a - b);
  return budgets.map((queries) => {
    const these = rounds.filter((round) => round.queries === queries);
    const over = (measure: Measure) =>
      spreadOf(these.map((round) => measured(round, measure)).filter((value) => value !== undefined));
    return { queries, accuracy: over("accuracy"), agreement: over("agreement"), divergence: over("divergence") };
  });
}

/** The points of a row's curve that all its finished runs have a part in. */
export function meanCurve({ curve, runs }: Pick<RowResult, "curve" | "runs">, measure: Measure): CurvePoint[] {
  return curve.flatMap((point) => {
    const spread = point[measure];
    return spread?.count === runs.length ? [{ queries: point.queries, value: spread.mean }] : [];
  });
}
