import { defaultDistillOptions, type DistillOptions, type Teacher } from "../../src/activemixup/index.js";
import { paperSchedule, paperSgd, plainAdam, type Schedule } from "../../src/nn/index.js";
import type { DistillCommandOptions } from "./options.js";

const schedules: Record<DistillCommandOptions["schedule"], Schedule> = {
  cosine: defaultDistillOptions.schedule,
  paper: paperSchedule,
  constant: { kind: "constant", rate: defaultDistillOptions.schedule.rate },
};

/** Share of the budget that is kept for attempts that fail, where they may be charged for. */
const RESERVE = 0.02;

/** The method's quantities that the options mean. */
export function methodOptions(options: DistillCommandOptions, teachers: readonly Teacher[]): DistillOptions {
  const { n, budget, rounds, perRound, strategy, lambdas, pool, epochs, steps, batch, seed } = options;
  const { skipUnanswered, targetAgreement, patience } = options;
  const schedule = schedules[options.schedule];
  const countFailed = !options.freeRetries;
  const failuresCost = countFailed && teachers.some(({ manner }) => manner.charges);
  const usual = failuresCost ? Math.min(Math.ceil(RESERVE * budget), Math.max(0, budget - n)) : 0;
  return {
    ...{ budget, rounds, perRound, strategy, lambdas, pool, epochs, steps, batch, seed },
    ...{ countFailed, skipUnanswered, targetAgreement, patience },
    reserve: options.reserve ?? usual,
    optimizer: { adam: plainAdam, sgd: paperSgd }[options.optimizer],
    schedule: { ...schedule, rate: options.rate ?? schedule.rate },
    restart: options.restart ?? false,
    blendAt: options.exactBlends ? "pixels" : undefined,
    augmentation: { crop: options.crop, flip: options.flip ?? false },
  };
}

/** Share of the n images to hold out: unless told otherwise, some where there is no test set to report on. */
export function holdoutShare({ holdout, test }: DistillCommandOptions): number {
  return holdout ?? (test === undefined ? 0.1 : 0);
}
