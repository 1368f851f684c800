import type { Summary } from "../distill/summary.js";
import { formatCount, formatTime, percent, totalSeconds } from "./format.js";
import { htmlTable, type Markup } from "./html.js";

/** What each round did and how long it took. */
export function roundsTable({ rounds, holdout, evaluation, keptRound }: Summary): Markup {
  const chosen = rounds.some((round) => round.chosen);
  const accuracy = rounds.some(({ test }) => test?.accuracy !== undefined);
  const agreement = rounds.some(({ test }) => test?.agreement !== undefined);
  const skipped = rounds.some((round) => round.skipped + round.unanswered > 0);
  const head = [
    ...["round", "asked", "answered", "steps", "loss, nats"],
    ...(skipped ? ["without answer"] : []),
    ...(accuracy ? ["accuracy"] : []),
    ...(agreement ? ["agreement"] : []),
    ...(holdout ? ["held-out agreement"] : []),
    ...(chosen ? ["confidence before", "confidence after"] : []),
    ...["choosing", "asking", "training", "measuring", "together"],
  ];
  const rows = rounds.map((round) => [
    holdout && round.round === keptRound ? `${round.round}, kept` : String(round.round),
    ...[round.asked, round.queries, round.steps].map(formatCount),
    round.loss.toFixed(4),
    ...(skipped ? [formatCount(round.skipped + round.unanswered)] : []),
    ...(accuracy ? [percent(round.test?.accuracy)] : []),
    ...(agreement ? [percent(round.test?.agreement)] : []),
    ...(holdout ? [percent(round.holdout?.agreement.value)] : []),
    ...(chosen ? [percent(round.chosen?.before.confidence), percent(round.chosen?.after.confidence)] : []),
    ...[round.seconds.select, round.seconds.query, round.seconds.train, round.seconds.evaluate].map(formatTime),
    formatTime(totalSeconds(round.seconds)),
  ]);
  const closing = rounds.find(({ pseudoLabels }) => pseudoLabels !== undefined);
  const pseudo = closing
    ? ` Round ${closing.round} asks about nothing: a committee of students labelled ${formatCount(closing.pseudoLabels)} candidates.`
    : "";
  const measured = evaluation === undefined ? "" : ` Accuracy and agreement are on ${evaluation}.`;
  return htmlTable(
    "Round 0 asks about the real images, each later round about what the student chose; answered: so far; confidence: " +
      `the mean in what was chosen, before training on it and after.${pseudo}${measured}`,
    head,
    rows,
  );
}
