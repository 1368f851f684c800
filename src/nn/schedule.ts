/** Learning rates over the steps of a training, as plain values that stand in `config.json` as they are. */
import { InputError } from "../errors.js";

interface Common {
  /** Highest learning rate, above 0. */
  rate: number;
  /**
   * Steps in which the rate climbs linearly, the last of them at the full rate; 0 if left out. A training no longer
   * than this ends while it climbs.
   */
  warmup?: number;
}

/** After the warm-up the rate stays as it is. */
export interface ConstantSchedule extends Common {
  kind: "constant";
}

/** The rate is multiplied by `factor` at each milestone. */
export interface StepsSchedule extends Common {
  kind: "steps";
  /** Shares of all steps, between 0 and 1 and ascending, so that trainings of any length drop at the same points. */
  milestones: readonly number[];
  /** Between 0 and 1. */
  factor: number;
}

/** After the warm-up the rate falls along half a cosine wave, to reach `floor` as the training ends. */
export interface CosineSchedule extends Common {
  kind: "cosine";
  /** 0 to `rate`; 0 if left out. */
  floor?: number;
}

/** Learning rates over the steps of a training, by kind. */
export type Schedule = ConstantSchedule | StepsSchedule | CosineSchedule;

/** The paper's schedule (its code's, for CIFAR-10): 0.01, divided by 10 after 80, 60 and 40 of 200 epochs. */
export const paperSchedule: StepsSchedule = {
  kind: "steps",
  rate: 0.01,
  milestones: [80 / 200, 140 / 200, 180 / 200],
  factor: 0.1,
};

/**
 * The learning rate of each of `totalSteps` steps.
 * @throws InputError where the schedule is not valid (see {@link checkSchedule}) or `totalSteps` no whole number from 1
 */
export function scheduleRates(schedule: Schedule, totalSteps: number): Float32Array<ArrayBuffer> {
  checkSchedule(schedule, "schedule");
  if (!Number.isSafeInteger(totalSteps) || totalSteps < 1) {
    throw new InputError(
      `schedule: ${totalSteps} steps, expected a whole number from 1 up; train for at least one step`,
    );
  }
  const { rate, warmup = 0 } = schedule;
  return Float32Array.from({ length: totalSteps }, (_, step) => {
    const climb = step < warmup ? (step + 1) / warmup : 1;
    switch (schedule.kind) {
      case "constant":
        return climb * rate;
      case "steps":
        return climb * stepsRate(schedule, step, totalSteps);
      case "cosine":
        return step < warmup ? climb * rate : cosineRate(schedule, (step - warmup) / (totalSteps - warmup));
    }
  });
}

/** Largest share of a short training that warms up. */
const WARMUP_SHARE = 1 / 5;

/** The schedule with a warm-up of at most a fifth of the steps, so that short trainings reach the full rate too. */
export function limitWarmup(schedule: Schedule, totalSteps: number): Schedule {
  const { warmup = 0 } = schedule;
  return { ...schedule, warmup: Math.min(warmup, Math.floor(WARMUP_SHARE * totalSteps)) };
}

/**
 * The steps, counted from 0, that are the first at a lower rate. Empty unless the schedule has milestones.
 * The paper's code renews the momentum at each.
 */
export function milestoneSteps(schedule: Schedule, totalSteps: number): number[] {
  if (schedule.kind !== "steps") return [];
  // At least one step at the full rate, in however short a training.
  return schedule.milestones.map((share) => Math.max(1, Math.round(share * totalSteps)));
}

function stepsRate(schedule: StepsSchedule, step: number, totalSteps: number): number {
  const passed = milestoneSteps(schedule, totalSteps).filter((milestone) => step >= milestone).length;
  return schedule.rate * schedule.factor ** passed;
}

/** @param progress share of the way from the end of the warm-up to the end of the training */
function cosineRate({ rate, floor = 0 }: CosineSchedule, progress: number): number {
  return floor + ((rate - floor) * (1 + Math.cos(Math.PI * progress))) / 2;
}

const keys = {
  constant: ["kind", "rate", "warmup"],
  steps: ["kind", "rate", "warmup", "milestones", "factor"],
  cosine: ["kind", "rate", "warmup", "floor"],
};

/**
 * Requires `value`, perhaps from JSON, to be a schedule.
 * @param name the option or the file's field, for messages
 * @throws InputError that names the part at fault
 */
export function checkSchedule(value: unknown, name: string): asserts value is Schedule {
  if (typeof value !== "object" || value === null) {
    throw new InputError(`${name}: ${JSON.stringify(value)}, expected an object with kind and rate; give a schedule`);
  }
  const schedule = value as Partial<Record<string, unknown>>;
  const { kind, rate, warmup = 0, floor = 0, factor, milestones } = schedule;
  const demand = (holds: boolean, key: string, expected: string) => {
    if (holds) return;
    throw new InputError(`${name}: ${key} is ${JSON.stringify(schedule[key])}, expected ${expected}; correct it`);
  };
  demand(typeof kind === "string" && Object.hasOwn(keys, kind), "kind", "constant, steps or cosine");
  const known = keys[kind as Schedule["kind"]];
  for (const key of Object.keys(schedule)) {
    if (!known.includes(key)) {
      throw new InputError(`${name}: has ${JSON.stringify(key)}, expected ${known.join(", ")} for ${kind}; remove it`);
    }
  }
  demand(isNumber(rate) && rate > 0 && Number.isFinite(Math.fround(rate)), "rate", "a number above 0 within f32");
  demand(Number.isSafeInteger(warmup) && (warmup as number) >= 0, "warmup", "a whole number of steps from 0 up");
  if (kind === "cosine") demand(isNumber(floor) && floor >= 0 && floor <= (rate as number), "floor", `0 to ${rate}`);
  if (kind === "steps") {
    demand(isNumber(factor) && factor > 0 && factor < 1, "factor", "a number between 0 and 1");
    demand(
      areShares(milestones),
      "milestones",
      "ascending shares of all steps between 0 and 1, for example [0.5, 0.75]",
    );
  }
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function areShares(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every((share, index) => isNumber(share) && share < 1 && share > (index === 0 ? 0 : value[index - 1]))
  );
}
