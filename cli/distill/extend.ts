import { endOfAsking, planRounds, type RoundReport } from "../../src/activemixup/index.js";
import { InputError } from "../../src/errors.js";
import type { RunConfig } from "./config.js";

/** What a run that was begun is to ask beyond. */
export interface Extension {
  /** Of each teacher, with what was spent before. */
  readonly budget: number;
  /** Queries by the end of each further round; rounds about as large as the last where absent. */
  readonly totals?: readonly number[] | undefined;
}

/**
 * The run with a larger budget: its rounds as they were planned, and further ones behind them, each with as many steps
 * as the last. What comes of it is what a run comes to that was planned so from the first.
 * @param config of a run
 * @param done its finished rounds
 * @throws InputError where the budget is not larger, or is not what keeps the run from going on
 */
export function extendRun(config: RunConfig, done: readonly RoundReport[], { budget, totals }: Extension): RunConfig {
  const { method, options } = config;
  if (budget <= method.budget) {
    throw new InputError(`--budget is ${budget}, and the run has ${method.budget} already; give a larger one`);
  }
  const planned = planRounds(config.chosen.length, method, config.heldOut.length);
  checkGoesOn(config, done, planned.length);
  const before = totalsOf(planned, config.heldOut.length);
  // In proportion: of more requests more fail.
  const reserve = Math.ceil((method.reserve * budget) / method.budget);
  const further = totals ?? furtherTotals(before.at(-1) ?? options.n, budget - reserve, planned.at(-1)!);
  if (further.length === 0) {
    throw new InputError(`--budget ${budget} with a reserve of ${reserve} covers no further query; give a larger one`);
  }
  const plan = {
    budget,
    reserve,
    totals: [...before, ...further],
    ...(typeof method.steps === "object" ? { steps: furtherSteps(method, further.length) } : {}),
  };
  return { ...config, options: { ...options, ...plan }, method: { ...method, ...plan } };
}

/** Queries by the end of each round but that of the real images. */
function totalsOf(planned: readonly number[], held: number): number[] {
  let total = held;
  return planned.map((queries) => (total += queries)).slice(1);
}

/** Rounds of about so many queries each that lead to the last total. */
function furtherTotals(from: number, to: number, each: number): number[] {
  const more = to - from;
  if (more < 1) return [];
  const count = Math.max(1, Math.round(more / each));
  return Array.from({ length: count }, (_, round) => from + Math.round((more * (round + 1)) / count));
}

/** Those of the last round that asks for each further one, before those of a closing round. */
function furtherSteps({ steps, pseudoLabels }: RunConfig["method"], rounds: number): number[] {
  const all = steps as readonly number[];
  const asking = pseudoLabels === undefined ? all : all.slice(0, -1);
  const added = new Array<number>(rounds).fill(asking.at(-1)!);
  return [...asking, ...added, ...all.slice(asking.length)];
}

/** Requires that nothing but the budget ends the run, and that all that further rounds build on is there. */
function checkGoesOn({ method, options }: RunConfig, done: readonly RoundReport[], planned: number): void {
  const anew = `begin anew with --ledger ${options.ledger ?? `${options.out}/ledger`}, which pays for no answer twice`;
  if (method.strategy === "real-only") {
    throw new InputError(
      "the run's --strategy real-only asks about the real images alone: no larger --budget is of use",
    );
  }
  if (done.some(({ pseudoLabels }) => pseudoLabels !== undefined)) {
    throw new InputError(`the run's closing round of --pseudo-labels is done, and none can follow it; ${anew}`);
  }
  if (method.strategy === "committee" && done.length === planned) {
    throw new InputError(`the run's committee has not learnt its last answers, and cannot choose further; ${anew}`);
  }
  const reason = endOfAsking(done, { planned: Infinity, isSpent: false }, method);
  if (reason !== undefined) throw new InputError(`the run has ended by --${reason}, not for its budget; ${anew}`);
}
