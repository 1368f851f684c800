import type { Estimate } from "../../src/activemixup/index.js";
import { shellLine } from "../experiment/option-line.js";
import { formatCount, formatTime, percent, totalSeconds } from "./format.js";
import { html, htmlFacts, htmlTable, type Content, type Markup } from "./html.js";
import { moment } from "./page.js";
import { countRounds, type RunRecord } from "./record.js";

/** Where the run is. */
export function statePart(record: RunRecord, written: Date): Markup {
  const { state, summary, folder } = record;
  const goOn = html`<code>${shellLine(["activemixup", "distill", "--resume", folder])}</code> goes on with it.`;
  const rounds = `rounds of choosing that are done: ${countRounds(record)}`;
  switch (state.kind) {
    case "finished":
      return html`<p class="state finished">finished</p>
        <p>${endings[summary.stopped ?? "plan"]}.</p> `;
    case "going":
      return html`<p class="state open">still going</p>
        <p>As of ${moment(written)}; ${rounds}. This page is written anew after each round: load it again.</p> `;
    case "interrupted":
      return html`<p class="state open">stopped early</p>
        <p>Stopped by hand; ${rounds}. ${goOn}</p> `;
    case "failed":
      return html`<p class="state open">ended by an error</p>
        <p>${state.message}</p>
        <p>${rounds}. ${goOn}</p> `;
    case "unknown":
      return html`<p class="state open">not finished</p>
        <p>It was still going when this was written, or was killed; ${rounds}. ${goOn}</p> `;
  }
}

const endings = {
  plan: "All rounds are done",
  budget: "Ended early: attempts that failed, or were lost by a kill, used up the budget",
  "target-agreement": "Ended as soon as the agreement asked for was reached",
  patience: "Ended when further rounds brought no better student",
} as const;

/** The run in a few numbers. */
export function tiles({ summary }: RunRecord): Markup {
  const { student, teacher, holdout, rounds, queries, budget, seconds, teachers } = summary;
  const spent = Math.max(0, ...teachers.map((account) => account.spent));
  const failed = teachers.reduce((sum, account) => sum + account.failed + account.lost, 0);
  const held = rounds.find(({ round }) => round === summary.keptRound)?.holdout;
  const all: (readonly [string, string, string])[] = [
    ...(student.accuracy === undefined
      ? []
      : [["accuracy", percent(student.accuracy), ofTeacher(teacher.accuracy)] as const]),
    ...(student.agreement === undefined
      ? []
      : [["agreement", percent(student.agreement), "with the teacher, test images"] as const]),
    ...(held
      ? [
          [
            "held-out agreement",
            percent(held.agreement.value),
            `${interval(held.agreement)} on ${formatCount(holdout?.images)} images`,
          ] as const,
        ]
      : []),
    ["images answered", formatCount(queries), `${formatCount(spent)} of ${formatCount(budget)} queries spent`],
    ["failed attempts", formatCount(failed), failed === 0 ? "none" : "lost ones among them"],
    ["time", formatTime(totalSeconds(seconds)), "all phases"],
  ];
  return html`<ul class="tiles">
    ${all.map(([name, value, more]) => html`<li>${name} <strong>${value}</strong><small>${more}</small></li> `)}
  </ul> `;
}

/** `91.1 to 99.7`, in percent: what covers the truth in 95 of 100 samples. */
function interval({ low, high }: Estimate): string {
  return low === undefined || high === undefined ? "" : `${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)}`;
}

function ofTeacher(accuracy: number | undefined): string {
  return accuracy === undefined ? "on test images" : `the teacher: ${percent(accuracy)}`;
}

/** What was asked, of whom, and what it cost. */
export function costPart(record: RunRecord): Markup {
  const { summary, config } = record;
  const { method } = config;
  const facts: (readonly [string, Content])[] = [
    ["images", summary.dataset],
    ["real images", `${formatCount(config.chosen.length)} trained on, ${formatCount(config.heldOut.length)} held out`],
    ["student", student(summary.student.architecture, config.options.student)],
    ["strategy", summary.strategy],
    ...(summary.strategy === "real-only" ? [] : [["chosen from", candidates(record)] as const]),
    ["rounds of choosing done", countRounds(record)],
    ["budget, of each teacher", `${formatCount(summary.budget)}, of which reserve ${formatCount(summary.reserve)}`],
    ["failed attempts", method.countFailed ? "count against the budget" : "do not count"],
    ["seed", String(summary.seed)],
    ["device", summary.device.driver || summary.device.adapter],
    ...(summary.skipped > 0 ? [["left out, never answered", formatCount(summary.skipped)] as const] : []),
    ...(summary.evaluation
      ? [["answers about test images", `${formatCount(summary.evaluationQueries)}, outside the budget`] as const]
      : []),
  ];
  const accounts = summary.teachers.map(({ name, spent, budget, answered, failed, lost }) => [
    name,
    // Answers of a round that is not finished are no queries of the run yet.
    ...[spent, budget, answered, Math.max(0, summary.queries - answered), failed, lost].map(formatCount),
  ]);
  const head = ["teacher", "spent", "budget", "answered", "known already", "failed", "lost by a kill"];
  return html`${htmlFacts(facts)}${htmlTable("Queries to each teacher. Failed and lost attempts may have been charged for.", head, accounts)}
    <details>
      <summary>All options</summary>
      ${htmlFacts(optionFacts(config.options))}
    </details> `;
}

function student(architecture: string, given: string): string {
  return given === architecture ? architecture : `${architecture}, from ${given}`;
}

function candidates({ config: { method } }: RunRecord): string {
  const many = method.pool === undefined ? "" : `, ${formatCount(method.pool)} of them`;
  return method.candidates + many;
}

/** Options by their names, with their values. */
export function optionFacts(options: object, without: ReadonlySet<string> = new Set()): (readonly [string, string])[] {
  return Object.entries(options)
    .filter(([name, value]) => value !== undefined && !without.has(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => [name, optionText(value)] as const);
}

/** An option's value as it would be given. */
function optionText(value: unknown): string {
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}
