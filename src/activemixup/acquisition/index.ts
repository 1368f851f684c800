import { InputError } from "../../errors.js";
import type { Network } from "../../nn/index.js";
import type { Acquisition, AcquisitionContext } from "./acquisition.js";
import { BadgeAcquisition, checkBadge } from "./badge.js";
import { BaldRule, requireDropout } from "./bald.js";
import { CommitteeRule } from "./committee.js";
import { LowestScoreAcquisition, type ScoringRule } from "./lowest-score.js";
import { NoisyConfidenceRule } from "./noisy-confidence.js";
import { RandomAcquisition } from "./random.js";
import { ScoreRule } from "./score.js";

export type { Acquisition, AcquisitionContext } from "./acquisition.js";
export { BadgeAcquisition } from "./badge.js";
export { LowestScoreAcquisition, type ScoringRule } from "./lowest-score.js";
export { RandomAcquisition } from "./random.js";
export { ScoreRule } from "./score.js";

/** An acquisition strategy: what `distill` needs to know of it before it begins. */
export interface StrategyEntry {
  /** What it chooses, in half a sentence. */
  readonly about: string;
  /** Looks at each pair with one random λ, not with the whole grid. */
  readonly single?: boolean;
  /** Asks other students too, trained as the student is. */
  readonly committee?: boolean;
  /**
   * @param rounds how many candidates each round chooses
   * @throws InputError where the strategy cannot work with such a student
   */
  readonly check?: (student: Network, rounds: readonly number[], badgeSample?: number) => void;
  /** Absent where the strategy asks about nothing but the real images. */
  readonly create?: (context: AcquisitionContext) => Promise<Acquisition>;
}

/** Makes a strategy of a rule: the candidates of lowest score. */
function lowest(rule: (context: AcquisitionContext) => Promise<ScoringRule>): StrategyEntry["create"] {
  return async (context) => LowestScoreAcquisition.create(context, await rule(context));
}

/** The acquisition strategies of the project by name. */
export const strategies: Readonly<Record<string, StrategyEntry>> = {
  confidence: {
    about: "those in which the student is least sure, by its smallest confidence over λ (the paper)",
    create: lowest((context) => ScoreRule.create(context, "confidence")),
  },
  "confidence-single": {
    about: "the same at one random λ a pair",
    single: true,
    create: lowest((context) => ScoreRule.create(context, "confidence")),
  },
  "noisy-confidence": {
    about: "a random draw in proportion to the student's doubt, 1 − confidence",
    create: lowest((context) => NoisyConfidenceRule.create(context)),
  },
  margin: {
    about: "those whose two likeliest classes the student finds most alike",
    create: lowest((context) => ScoreRule.create(context, "margin")),
  },
  entropy: {
    about: "those on which the student's probabilities spread widest",
    create: lowest((context) => ScoreRule.create(context, "entropy")),
  },
  bald: {
    about: "those on which passes of the student with dropout disagree most (of students that have it)",
    check: requireDropout,
    create: lowest((context) => BaldRule.create(context)),
  },
  committee: {
    about: "those on which students trained from several seeds disagree most",
    committee: true,
    create: lowest((context) => CommitteeRule.create(context)),
  },
  badge: {
    about: "far-apart candidates of large gradient, of a random sample, at one random λ a pair (Ash et al. 2020)",
    single: true,
    check: checkBadge,
    create: (context) => BadgeAcquisition.create(context),
  },
  random: {
    about: "no selection: candidates and λ by chance",
    create: (context) => Promise.resolve(new RandomAcquisition(context)),
  },
  "real-only": { about: "the real images alone: no mixup" },
};

const known = new Map(Object.entries(strategies));

/**
 * Makes a strategy of one's own known by a name, for the life of the process: {@link DistillOptions.strategy} then takes
 * that name. Candidates of lowest score are chosen by a {@link LowestScoreAcquisition} with a {@link ScoringRule};
 * anything else by a class of one's own.
 * @throws InputError where a strategy of that name is known already.
 */
export function defineStrategy(name: string, strategy: StrategyEntry): void {
  if (known.has(name))
    throw new InputError(`defineStrategy: there is a strategy "${name}" already; choose another name`);
  known.set(name, strategy);
}

/**
 * The strategy called `name`.
 * @throws InputError where there is none.
 */
export function findStrategy(name: string): StrategyEntry {
  const strategy = known.get(name);
  if (!strategy) {
    throw new InputError(`no strategy is called "${name}"; choose one of ${[...known.keys()].join(", ")}`);
  }
  return strategy;
}
