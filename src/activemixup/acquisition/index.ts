import { InputError } from "../../errors.js";
import type { Acquisition, AcquisitionContext } from "./acquisition.js";
import { BadgeAcquisition } from "./badge.js";
import { ConfidenceAcquisition } from "./confidence.js";
import { RandomAcquisition } from "./random.js";

export type { Acquisition, AcquisitionContext } from "./acquisition.js";
export { BadgeAcquisition } from "./badge.js";
export { ConfidenceAcquisition } from "./confidence.js";
export { RandomAcquisition } from "./random.js";

interface StrategyEntry {
  readonly about: string;
  /** Looks at each pair with one random λ, not with the whole grid. */
  readonly single?: boolean;
  /** Absent where the strategy asks about nothing but the real images. */
  readonly create?: (context: AcquisitionContext) => Promise<Acquisition>;
}

/** The acquisition strategies by name. */
export const strategies: Readonly<Record<string, StrategyEntry>> = {
  confidence: {
    about: "pairs in whose blends the student is least sure, the smallest confidence over λ (the paper)",
    create: (context) => ConfidenceAcquisition.create(context),
  },
  "confidence-single": {
    about: "the same at one random λ a pair",
    single: true,
    create: (context) => ConfidenceAcquisition.create(context),
  },
  badge: {
    about: "far-apart candidates of large gradient, of a random sample, at one random λ a pair (Ash et al. 2020)",
    single: true,
    create: (context) => BadgeAcquisition.create(context),
  },
  random: {
    about: "random pairs and λ: mixup without selection",
    create: (context) => Promise.resolve(new RandomAcquisition(context)),
  },
  "real-only": { about: "the real images alone: no mixup" },
};

/**
 * The strategy called `name`.
 * @throws InputError where there is none.
 */
export function findStrategy(name: string): StrategyEntry {
  if (!Object.hasOwn(strategies, name)) {
    throw new InputError(`no strategy is called "${name}"; choose one of ${Object.keys(strategies).join(", ")}`);
  }
  return strategies[name];
}
