import type { DistillOptions } from "../options.js";
import type { RoundReport, StopReason } from "../report.js";

/**
 * The round whose student does best on the held-out images: by agreement, then by the smaller divergence, then the
 * earlier. None without held-out images.
 */
export function bestRound(rounds: readonly RoundReport[]): RoundReport | undefined {
  return rounds.reduce<RoundReport | undefined>((best, round) => (isBetter(round, best) ? round : best), undefined);
}

function isBetter({ holdout }: RoundReport, best: RoundReport | undefined): boolean {
  if (!holdout) return false;
  if (!best?.holdout) return true;
  const ahead = holdout.agreement.value - best.holdout.agreement.value;
  return ahead > 0 || (ahead === 0 && holdout.divergence.value < best.holdout.divergence.value);
}

/** What a run may still ask. */
export interface Outlook {
  /** Rounds that ask, in all. */
  readonly planned: number;
  /** Whether a teacher's budget is used up. */
  readonly isSpent: boolean;
}

/** Why the run is over after these rounds; undefined where it goes on. */
export function stopReason(
  rounds: readonly RoundReport[],
  outlook: Outlook,
  options: Pick<DistillOptions, "targetAgreement" | "patience" | "pseudoLabels">,
): StopReason | undefined {
  const reason = endOfAsking(rounds, outlook, options);
  const isClosed = options.pseudoLabels === undefined || rounds.some((round) => round.pseudoLabels !== undefined);
  // A closing round asks nothing: whatever ended the asking, there can be one. Who has what was wanted needs none.
  return isClosed || reason === "target-agreement" ? reason : undefined;
}

/** Why no further round asks: there may be a closing one still. */
export function endOfAsking(
  rounds: readonly RoundReport[],
  { planned, isSpent }: Outlook,
  { targetAgreement, patience }: Pick<DistillOptions, "targetAgreement" | "patience">,
): StopReason | undefined {
  const asking = rounds.filter(({ pseudoLabels }) => pseudoLabels === undefined);
  const last = asking.at(-1);
  if (!last) return undefined;
  if (targetAgreement !== undefined && last.holdout && last.holdout.agreement.value >= targetAgreement) {
    return "target-agreement";
  }
  // A budget that was raised since goes on behind a round that it did not cover.
  if (last.unanswered > 0 && isSpent) return "budget";
  if (asking.length === planned) return "plan";
  const best = bestRound(asking);
  if (patience !== undefined && best && last.round - best.round >= patience) return "patience";
  return undefined;
}
