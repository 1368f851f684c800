import {
  defaultDistillOptions,
  warpRanges,
  type DistillOptions,
  type Teacher,
  type WarpPreset,
} from "../../src/activemixup/index.js";
import { InputError } from "../../src/errors.js";
import { paperSchedule, paperSgd, plainAdam, type Schedule } from "../../src/nn/index.js";
import type { DistillCommandOptions } from "./options.js";

const schedules: Record<DistillCommandOptions["schedule"], Schedule> = {
  cosine: defaultDistillOptions.schedule,
  paper: paperSchedule,
  constant: { kind: "constant", rate: defaultDistillOptions.schedule.rate },
};

/** Of the budget, kept for attempts that fail, where they may be charged for. */
const RESERVE = 0.02;
/** At most so much of what is left for blends. */
const LARGEST_RESERVE = 0.25;

/** Kept for attempts that fail, unless told otherwise: some, and at least for one time that the run is killed. */
function usualReserve({ n, budget }: DistillCommandOptions, teachers: readonly Teacher[]): number {
  const charging = teachers.filter(({ manner }) => manner.charges);
  if (charging.length === 0) return 0;
  const underWay = Math.max(...charging.map(({ manner }) => manner.batch * manner.concurrency));
  const most = Math.floor(LARGEST_RESERVE * Math.max(0, budget - n));
  return Math.min(Math.max(Math.ceil(RESERVE * budget), underWay), most);
}

/** What runs did that were begun before there were options for it: their `config.json` does not name it. */
const ofOlderRuns = { candidates: "mix", augment: "none", augmentShare: 0.5 } as const;

/** Options of the command that are quantities of the method as they are. */
const ofBoth = [
  "budget",
  "rounds",
  "perRound",
  "totals",
  "strategy",
  "committee",
  "pseudoLabels",
  "badgeSample",
  "lambdas",
  "neighbours",
  "pool",
  "epochs",
  "batch",
  "realShare",
  "temperature",
  "average",
  "shrink",
  "augmentRounds",
  "seed",
  "skipUnanswered",
  "targetAgreement",
  "patience",
] as const satisfies readonly (keyof DistillCommandOptions & keyof DistillOptions)[];

function pick<T extends object, K extends keyof T>(from: T, names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(names.map((name) => [name, from[name]])) as Pick<T, K>;
}

/**
 * The method's quantities that the options mean.
 * @throws InputError where an option is of no account with the others
 */
export function methodOptions(given: DistillCommandOptions, teachers: readonly Teacher[]): DistillOptions {
  const options: DistillCommandOptions = { ...ofOlderRuns, ...given };
  checkCandidateOptions(options);
  const { augment, flip = false } = options;
  const schedule = schedules[options.schedule];
  const countFailed = !options.freeRetries;
  return {
    ...pick(options, ofBoth),
    steps: options.steps?.length === 1 ? options.steps[0] : options.steps,
    countFailed,
    reserve: options.reserve ?? (countFailed ? usualReserve(options, teachers) : 0),
    optimizer: { adam: plainAdam, sgd: paperSgd }[options.optimizer],
    schedule: { ...schedule, rate: options.rate ?? schedule.rate },
    restart: options.restart ?? false,
    candidates: options.candidates,
    candidateWarps: warpRanges(candidateWarps(options), 1, flip, options.brightness),
    blendAt: options.exactBlends ? "pixels" : undefined,
    augmentation: {
      crop: options.crop,
      flip,
      warp: augment === "none" ? undefined : warpRanges(augment, options.augmentShare, flip),
    },
  };
}

/** Requires options of one kind of candidates to be given with that alone. */
function checkCandidateOptions({ candidates, candidateWarps, brightness, exactBlends }: DistillCommandOptions): void {
  if (candidates === "mix" && candidateWarps !== undefined) {
    throw new InputError(
      "--candidate-warps is of warped candidates, and --candidates mix has none; leave it out, or give other --candidates",
    );
  }
  if (candidates === "mix" && brightness !== undefined) {
    throw new InputError(
      "--brightness is of warped candidates, and --candidates mix has none; leave it out, or give other --candidates",
    );
  }
  if (candidates !== "mix" && exactBlends) {
    throw new InputError(`--exact-blends is of --candidates mix; ${candidates} is seen in 8 bits always: leave it out`);
  }
}

/** Options of `--augment`, by their names here. */
const ofWarps = [
  ["augmentShare", "--augment-share"],
  ["augmentRounds", "--augment-rounds"],
] as const;

/** Options that say how many rounds choose, and among what: of no account to a strategy that chooses nothing. */
const ofChoosing = [
  ["rounds", "--rounds"],
  ["perRound", "--per-round"],
  ["totals", "--totals"],
  ["pool", "--pool"],
  ["lambdas", "--lambdas"],
  ["restart", "--restart"],
  ["shrink", "--shrink"],
  ["candidates", "--candidates"],
  ["candidateWarps", "--candidate-warps"],
  ["brightness", "--brightness"],
  ["neighbours", "--neighbours"],
  ["exactBlends", "--exact-blends"],
] as const;

/** Options of which the first prevails. */
const prevailing = [
  ["totals", "--totals", "rounds", "--rounds"],
  ["totals", "--totals", "perRound", "--per-round"],
  ["perRound", "--per-round", "rounds", "--rounds"],
  ["steps", "--steps", "epochs", "--epochs"],
  ["restart", "--restart", "shrink", "--shrink"],
] as const;

/**
 * Why an option that was given would change nothing, in a line that names it; nothing where none is such. What was not
 * given has a default, which may well be of no account: only who parsed the options can tell the two apart.
 * @param given names of the options that were given
 */
export function idleOption(
  { candidates, augment, strategy, test }: Pick<DistillCommandOptions, "candidates" | "augment" | "strategy" | "test">,
  given: ReadonlySet<string>,
): string | undefined {
  for (const [name, option] of ofChoosing) {
    if (given.has(name) && strategy === "real-only") {
      return `${option} is of rounds that choose, and --strategy real-only has none: leave it out`;
    }
  }
  for (const [first, itsOption, name, option] of prevailing) {
    if (given.has(first) && given.has(name)) return `${option} is of no account beside ${itsOption}: leave one out`;
  }
  if (given.has("askTest") && test === undefined) {
    return "--ask-test is of test images, and there are none; give --test too, or leave it out";
  }
  if (given.has("exactBlends") && strategy === "random") {
    return "--exact-blends is of blends that are scored, and --strategy random scores none: leave it out";
  }
  if (given.has("lambdas") && candidates !== "mix") {
    return `--lambdas is of --candidates mix, and ${candidates} takes none: leave it out`;
  }
  for (const [name, option] of ofWarps) {
    if (given.has(name) && augment === "none") {
      return `${option} is of images that --augment warps, and it is none; leave it out, or give --augment too`;
    }
  }
  return undefined;
}

/** The quantities that `config.json` holds, also of a run that was begun when there were fewer. */
export function completeMethod(then: DistillOptions): DistillOptions {
  const since = { candidates: ofOlderRuns.candidates, candidateWarps: defaultDistillOptions.candidateWarps };
  return { ...since, ...then };
}

/** Candidates are warped as training images are, and in any case. */
function candidateWarps({ candidateWarps, augment }: DistillCommandOptions): WarpPreset {
  return candidateWarps ?? (augment === "none" ? "affine" : augment);
}

/** Share of the n images to hold out: unless told otherwise, some where there is no test set to report on. */
export function holdoutShare({ holdout, test }: Pick<DistillCommandOptions, "holdout" | "test">): number {
  return holdout ?? (test === undefined ? 0.1 : 0);
}
