import { InputError } from "../errors.js";
import { plainAdam, type Augmentation, type OptimizerOptions, type Schedule } from "../nn/index.js";
import { findStrategy } from "./acquisition/index.js";
import { checkLambdas, paperLambdas } from "./blend.js";

/** All quantities of the method. */
export interface DistillOptions {
  /** Most images that the teacher is asked about, the real ones included. */
  readonly budget: number;
  /** Rounds of choosing and asking after the first; the budget left is spread evenly over them. */
  readonly rounds: number;
  /** k, queries a round; the rounds are then as many as the budget lets. */
  readonly perRound?: number;
  readonly strategy: string;
  /** λ grid. */
  readonly lambdas: readonly number[];
  /** Most candidate pairs: a seeded sample of them; all pairs where absent. */
  readonly pool?: number;
  /** Passes over all that is labelled, in each round. */
  readonly epochs: number;
  /** Training steps in each round, instead of `epochs`. */
  readonly steps?: number;
  /** Start the student anew each round; it goes on from the last otherwise. */
  readonly restart: boolean;
  readonly batch: number;
  readonly optimizer: OptimizerOptions;
  /** Learning rate over each round. */
  readonly schedule: Schedule;
  readonly augmentation: Augmentation;
  /** Whole number, 0 to 2^32 − 1. */
  readonly seed: number;
}

/** What `distill` does unless told otherwise. */
export const defaultDistillOptions: Omit<DistillOptions, "budget"> = {
  rounds: 5,
  strategy: "confidence",
  lambdas: paperLambdas,
  epochs: 20,
  restart: false,
  batch: 128,
  optimizer: plainAdam,
  schedule: { kind: "cosine", rate: 2e-3, floor: 0, warmup: 100 },
  augmentation: { crop: 2, flip: false },
  seed: 0,
};

/**
 * Queries of each round, the n real images first: they sum to the budget.
 * @throws InputError where an option is out of range, or the budget is smaller than n.
 */
export function planRounds(n: number, options: DistillOptions): number[] {
  const { budget, rounds, perRound, epochs, steps, batch, strategy, lambdas } = options;
  requireWhole("--budget", budget, 1);
  requireWhole("--rounds", rounds, 0);
  requireWhole("--batch", batch, 1);
  requireWhole("--seed", options.seed, 0);
  if (steps === undefined) requireWhole("--epochs", epochs, 1);
  else requireWhole("--steps", steps, 1);
  if (perRound !== undefined) requireWhole("--per-round", perRound, 1);
  checkLambdas(lambdas);
  if (budget < n) {
    throw new InputError(
      `--budget is ${budget} and --n is ${n}: the real images alone take ${n} queries; raise --budget or lower --n`,
    );
  }
  const left = budget - n;
  if (!findStrategy(strategy).create || left === 0) return [n];
  if (perRound !== undefined) {
    const full = Math.floor(left / perRound);
    const rest = left - full * perRound;
    return [n, ...new Array<number>(full).fill(perRound), ...(rest > 0 ? [rest] : [])];
  }
  if (rounds === 0) return [n];
  const count = Math.min(rounds, left);
  const base = Math.floor(left / count);
  const extra = left - base * count;
  return [n, ...Array.from({ length: count }, (_, index) => base + (index < extra ? 1 : 0))];
}

function requireWhole(option: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > 0xffffffff) {
    throw new InputError(`${option} is ${value}; expected a whole number from ${least} up`);
  }
}
