import type { Estimate, RoundReport, StopReason, TeacherAccount } from "../../src/activemixup/index.js";
import { formatTime } from "../progress.js";
import { formatTable, percent } from "../table.js";
import { tableLayout } from "../terminal.js";
import type { Summary } from "./summary.js";

/** A finished round in one line. */
export function describeRound({ round, queries, pseudoLabels, loss, holdout, test, seconds }: RoundReport): string {
  const spent = Object.values(seconds).reduce((sum, value) => sum + value, 0);
  const parts = [
    `${queries} queries`,
    ...(pseudoLabels === undefined ? [] : [`${pseudoLabels} pseudo-labels`]),
    `loss ${loss.toFixed(4)}`,
    ...(holdout
      ? [
          `held-out agreement ${percentInterval(holdout.agreement)}`,
          `divergence ${divergenceInterval(holdout.divergence)}`,
        ]
      : []),
    ...(test?.agreement === undefined ? [] : [`agreement ${percent(test.agreement)}`]),
    ...(test?.accuracy === undefined ? [] : [`accuracy ${percent(test.accuracy)}`]),
    `${spent.toFixed(1)} s`,
  ];
  return `round ${round}: ${parts.join(", ")}`;
}

const endings: Record<StopReason, string> = {
  plan: "done",
  budget:
    "done early: attempts that failed, or were lost by a kill, used up the budget; --resume with a larger --budget goes on",
  "target-agreement": "done: the agreement asked for is reached",
  patience: "done: further rounds brought no better student",
};

/** A run in words: a table of its rounds, what it cost, and where it is. */
export function describeRun(summary: Summary, out: string): string {
  const { rounds, holdout, evaluation } = summary;
  const head = [
    ...["round", "queries", "loss"],
    ...(holdout ? ["held out"] : []),
    ...(evaluation ? ["agreement", "accuracy"] : []),
    ...["select", "query", "train"],
  ];
  const rows = rounds.map((row) => [
    ...[row.round, row.queries].map(String),
    row.loss.toFixed(4),
    ...(holdout ? [percent(row.holdout?.agreement.value)] : []),
    ...(evaluation ? [percent(row.test?.agreement), percent(row.test?.accuracy)] : []),
    ...[row.seconds.select, row.seconds.query, row.seconds.train].map(formatTime),
  ]);
  const ended = summary.stopped ? endings[summary.stopped] : "stopped early";
  const { accuracy } = summary.teacher;
  const of = summary.strategy === "real-only" ? "" : ` among candidates ${summary.candidates}`;
  const teacher = accuracy === undefined ? "" : `; the teacher's accuracy is ${percent(accuracy)}`;
  return [
    formatTable([head, ...rows], tableLayout()),
    `${ended}: ${summary.queries} images answered, strategy ${summary.strategy}${of}${teacher}`,
    ...summary.teachers.map((account) => describeAccount(account, summary)),
    ...(summary.skipped > 0 ? [`left out: ${summary.skipped} images that the teacher never answered`] : []),
    ...(holdout?.agreement
      ? [
          `kept: round ${summary.keptRound}, the best on ${holdout.images} held-out ` +
            `${holdout.images === 1 ? "image" : "images"}: agreement ${percentInterval(holdout.agreement)}`,
        ]
      : []),
    ...(evaluation ? [`measured on ${evaluation}: ${summary.evaluationQueries} answers outside the budget`] : []),
    ...(summary.testTeachers ?? []).map(
      ({ name, spent, answered }) => `${name}: ${spent} spent on test images, ${answered} answered`,
    ),
    summary.stopped ? `the run is in ${out}` : `the run is in ${out}; --resume ${out} goes on with it`,
  ].join("\n");
}

function describeAccount(account: TeacherAccount, { queries, reserve, stopped }: Summary): string {
  const { name, spent, budget, answered, failed, lost } = account;
  const unused = stopped === "plan" ? Math.min(reserve, budget - spent) : 0;
  const extra = [
    ...(answered < queries ? [`${queries - answered} known already`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(lost > 0 ? [`${lost} asked again after the run was killed`] : []),
    ...(unused > 0 ? [`${unused} of the reserve left`] : []),
  ];
  const attempts = extra.length > 0 ? `, ${extra.join(", ")}` : "";
  return `${name}: ${spent} of ${budget} queries spent, ${answered} answered${attempts}`;
}

/** `97.50% (95.2 to 98.7)`: an estimate with the interval that covers the truth in 95 of 100 samples. */
function percentInterval({ value, low, high }: Estimate): string {
  return percent(value) + interval(low, high, (end) => (100 * end).toFixed(1));
}

function divergenceInterval({ value, low, high }: Estimate): string {
  return value.toFixed(3) + interval(low, high, (end) => end.toFixed(3));
}

/** Of one image there is a value, and no interval. */
function interval(low: number | undefined, high: number | undefined, format: (end: number) => string): string {
  return low === undefined || high === undefined ? "" : ` (${format(low)} to ${format(high)})`;
}
