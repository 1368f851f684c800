import type { OptionValue } from "../experiment/option-line.js";
import { rowResult, runResult, type RowResult, type RunResult } from "../experiment/row-result.js";
import type { ToldRun } from "./read.js";

/** Options that say where things lie, how files are read or which seed it is, and not what is compared. */
const aside = new Set(["seed", "out", "ledger", "recipe", "cache"]);

/** A run of a group. */
export interface PooledRun extends ToldRun {
  readonly result: RunResult;
}

/**
 * Runs that differ in seed alone, with the means of what those came to that are finished; or, where none is, of what all
 * came to so far. A run that repeats another's seed is told of, and counts in no mean: it is no further sample.
 */
export interface RunGroup extends RowResult {
  /** The runs of which the means are. */
  readonly counted: readonly PooledRun[];
  /** These and the others. */
  readonly all: readonly PooledRun[];
}

/** Runs side by side. */
export interface RunComparison {
  readonly groups: readonly RunGroup[];
  /** Options in which the groups differ, with the value of each group. */
  readonly differing: readonly { readonly option: string; readonly values: readonly string[] }[];
}

/** What tells a run apart from those that are pooled with it: its options but for seed and places, and its teachers. */
function identity({ config }: ToldRun): Map<string, string> {
  const options = Object.entries(config.options).filter(([name]) => !aside.has(name));
  return new Map([
    ...options.map(([name, value]) => [name, text(value)] as const),
    ["teacher", config.teachers.map(({ name }) => name).join(" and ")],
    // Options have other defaults from version to version.
    ["budget", text(config.method.budget)],
    ["candidates", config.method.candidates],
  ]);
}

/** The first run of each seed. */
function onePerSeed(runs: readonly PooledRun[]): PooledRun[] {
  const seeds = runs.map(({ config }) => config.method.seed);
  return runs.filter((_, index) => seeds.indexOf(seeds[index]) === index);
}

function text(value: unknown): string {
  if (Array.isArray(value)) return value.join(",");
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

/** Pools runs that differ in seed alone, in the order in which they are given, and names each pool by what sets it apart. */
export function compareRuns(runs: readonly ToldRun[]): RunComparison {
  const pools = new Map<string, { readonly identity: Map<string, string>; readonly told: ToldRun[] }>();
  for (const run of runs) {
    const own = identity(run);
    const key = JSON.stringify([...own].sort());
    const pool = pools.get(key);
    if (pool) pool.told.push(run);
    else pools.set(key, { identity: own, told: [run] });
  }
  const all = [...pools.values()];
  const names = [...new Set(all.flatMap((pool) => [...pool.identity.keys()]))];
  const differing = names
    .map((option) => ({ option, values: all.map((pool) => pool.identity.get(option) ?? "–") }))
    .filter(({ values }) => new Set(values).size > 1);
  const telling = tellingOptions(differing);
  const groups = all.map(({ told }, index) => {
    const name = telling.map(({ option, values }) => label(option, values[index])).join(", ");
    const pooled = told.map((run) => ({
      ...run,
      result: runResult(run.config.method.seed, run.folder, "", run.summary),
    }));
    const finished = pooled.filter(({ summary }) => summary.stopped);
    const counted = onePerSeed(finished.length > 0 ? finished : pooled);
    const results = counted.map(({ result }) => result);
    const options = Object.fromEntries(differing.map(({ option, values }) => [option, values[index] as OptionValue]));
    const row = { name: name || told[0].config.method.strategy, options };
    return { ...rowResult(row, {}, [], results), counted, all: pooled };
  });
  return { groups, differing };
}

/** Options by which groups are called, where they tell them apart, before all others. */
const first = ["strategy", "candidates", "student", "budget", "n", "rounds", "perRound", "totals"];

/** As few options as tell all groups apart. */
function tellingOptions(differing: RunComparison["differing"]): RunComparison["differing"] {
  const rank = ({ option }: { readonly option: string }) =>
    first.includes(option) ? first.indexOf(option) : first.length;
  let keys = differing[0]?.values.map(() => "") ?? [];
  return [...differing]
    .sort((a, b) => rank(a) - rank(b))
    .filter(({ values }) => {
      const finer = keys.map((key, index) => JSON.stringify([key, values[index]]));
      if (new Set(finer).size === new Set(keys).size) return false;
      keys = finer;
      return true;
    });
}

/** A value that tells by itself what it is, or with the option's name. */
function label(option: string, value: string): string {
  return ["strategy", "candidates", "student"].includes(option) ? value : `${option} ${value}`;
}
