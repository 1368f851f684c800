import type { DistillOptions } from "./options.js";
import type { RoundReport, StopReason } from "./report.js";

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

/**
 * Why the run is over after these rounds; undefined where it goes on.
 * @param plan queries of each round: where they ran out, one that asks nothing can still be made
 */
export function stopReason(
  rounds: readonly RoundReport[],
  plan: readonly number[],
  { targetAgreement, patience }: Pick<DistillOptions, "targetAgreement" | "patience">,
): StopReason | undefined {
  const last = rounds.at(-1);
  if (!last) return undefined;
  if (targetAgreement !== undefined && last.holdout && last.holdout.agreement.value >= targetAgreement) {
    return "target-agreement";
  }
  const isDone = rounds.length === plan.length;
  if (rounds.some(({ unanswered }) => unanswered > 0) && (isDone || plan[rounds.length] > 0)) return "budget";
  if (isDone) return "plan";
  const best = bestRound(rounds);
  if (patience !== undefined && best && last.round - best.round >= patience) return "patience";
  return undefined;
}
