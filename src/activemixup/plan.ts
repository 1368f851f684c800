/** What a run will do, worked out and checked before anything is asked. */
import { InputError } from "../errors.js";
import { checkSchedule, type ImageShape } from "../nn/index.js";
import { findStrategy } from "./acquisition/index.js";
import { checkLambdas } from "./blend.js";
import { checkCommittee } from "./committee.js";
import type { DistillInput } from "./distill-input.js";
import { checkTeachers } from "./ledger/panel.js";
import { checkCandidates, checkNeighbours } from "./candidates/index.js";
import { checkClassNames } from "./network-spec.js";
import type { DistillOptions } from "./options.js";
import { asksTest, teachersOf } from "./panels.js";

/** What decides whether a run can be made. */
export type DistillPlanInput = Pick<
  DistillInput,
  "images" | "holdout" | "test" | "askTest" | "student" | "teacher" | "options"
>;

/**
 * Queries of each round (see {@link planRounds}), once all is seen to fit together.
 * @throws InputError where options, images, teacher, student and test images do not.
 */
export function planDistill(input: DistillPlanInput): number[] {
  checkNetworks(input);
  checkTest(input);
  const { images, holdout, student, options } = input;
  const { crop } = options.augmentation;
  requireWhole("--crop", crop, 0);
  if (crop >= Math.min(images.height, images.width)) {
    throw new InputError(`--crop is ${crop}; expected less than the images' ${sizeText(images)} pixels`);
  }
  checkSchedule(options.schedule, "--rate and --schedule");
  checkStopping(input);
  const { realShare = 0 } = options;
  if (!(realShare >= 0 && realShare <= 1)) {
    throw new InputError(`--real-share is ${realShare}; expected a share from 0 to 1`);
  }
  if (realShare > 0 && realShare < 1 && options.batch === 1) {
    throw new InputError(`--real-share ${realShare} of a --batch of 1 image is none; raise --batch, or leave it out`);
  }
  if (options.augmentRounds !== undefined) requireWhole("--augment-rounds", options.augmentRounds, 1);
  const { temperature = 1 } = options;
  if (!(temperature >= 1 && temperature <= HOTTEST)) {
    throw new InputError(`--temperature is ${temperature}; expected a number from 1 to ${HOTTEST}`);
  }
  const { shrink } = options;
  if (shrink !== undefined && !(shrink >= 0 && shrink <= 1)) {
    throw new InputError(`--shrink is ${shrink}; expected a share from 0 to 1`);
  }
  const { average } = options;
  if (average !== undefined && !(average > 0 && average <= 1)) {
    throw new InputError(`--average is ${average}; expected a share above 0 and at most 1`);
  }
  const plan = planRounds(images.count, options, holdout?.count);
  checkSteps(plan, options);
  checkStrategy(input, plan.slice(1));
  checkNeighbours(images.count, options);
  const { pseudoLabels } = options;
  if (mostSteps(plan, options) > MOST_STEPS) {
    throw new InputError(
      `--epochs or --steps give more than ${MOST_STEPS} training steps in a round; lower them` +
        (pseudoLabels === undefined ? "" : ", or --pseudo-labels"),
    );
  }
  const chosen = chosenInRounds(plan, options);
  const { bindingBytes } = student.device.capabilities;
  if (chosen.length > 0) checkCandidates(images, chosen, options, bindingBytes);
  const examples = plan[0] + sum(chosen);
  const bytes = 4 * examples * student.spec.classes;
  if (bytes > bindingBytes) {
    throw new InputError(
      `the answers to ${examples} images, of ${student.spec.classes} classes, are ${bytes} bytes, and this device takes ` +
        `${bindingBytes} in one place; lower --budget${pseudoLabels === undefined ? "" : " or --pseudo-labels"}`,
    );
  }
  return plan;
}

function checkNetworks({ images, holdout, teacher, student }: DistillPlanInput): void {
  const { image, classes, architecture } = student.spec;
  if (sizeText(images) !== sizeText(image)) {
    throw new InputError(
      `the student ${architecture} takes images of ${sizeText(image)}; ${images.name} holds ${sizeText(images)}: ` +
        `give images of the student's size, or another student`,
    );
  }
  if (holdout && sizeText(holdout) !== sizeText(images)) {
    throw new InputError(`${holdout.name} are ${sizeText(holdout)}; expected ${sizeText(images)}, as ${images.name}`);
  }
  const teachers = teachersOf(teacher);
  checkTeachers(teachers);
  for (const one of teachers) {
    one.checkShape?.(images);
    if (classes !== one.classes) {
      throw new InputError(
        `the student ${architecture} has ${classes} classes and the teacher ${one.classes}; they have to be the same`,
      );
    }
  }
}

function checkStopping({ holdout, options: { targetAgreement, patience } }: DistillPlanInput): void {
  if (targetAgreement !== undefined && !(targetAgreement > 0 && targetAgreement <= 1)) {
    throw new InputError(`--target-agreement is ${targetAgreement}; expected a share above 0 and at most 1`);
  }
  if (patience !== undefined) requireWhole("--patience", patience, 1);
  const option =
    targetAgreement !== undefined ? "--target-agreement" : patience !== undefined ? "--patience" : undefined;
  if (option && !holdout) throw new InputError(`${option} looks at held-out images and there are none; give --holdout`);
}

function checkStrategy(
  { student, options: { strategy, committee, badgeSample, neighbours, pseudoLabels } }: DistillPlanInput,
  rounds: readonly number[],
): void {
  const { check, create, committee: asksCommittee = false } = findStrategy(strategy);
  if (pseudoLabels !== undefined) {
    requireWhole("--pseudo-labels", pseudoLabels, 1);
    if (!create) {
      throw new InputError(`--pseudo-labels is of candidates, and --strategy ${strategy} has none; leave it out`);
    }
  }
  if (neighbours !== undefined && !create) {
    throw new InputError(`--neighbours is of candidates, and --strategy ${strategy} has none; leave it out`);
  }
  if (badgeSample !== undefined) {
    requireWhole("--badge-sample", badgeSample, 1);
    if (strategy !== "badge")
      throw new InputError(`--badge-sample is of --strategy badge; the strategy is ${strategy}`);
  }
  if (rounds.length > 0) check?.(student, rounds, badgeSample);
  if (committee === undefined) return;
  checkCommittee(committee);
  if (!asksCommittee && pseudoLabels === undefined) {
    throw new InputError(
      `--committee is of --strategy committee and of --pseudo-labels; the strategy is ${strategy}: leave it out`,
    );
  }
}

function checkTest(input: DistillPlanInput): void {
  const { images, student, test } = input;
  if (!test) return;
  const { name, classes } = test;
  if (name === images.name) {
    throw new InputError(`${name} is trained on and cannot be tested on; give other images, for example PATH:test`);
  }
  if (sizeText(test) !== sizeText(images)) {
    throw new InputError(
      `${name} holds images of ${sizeText(test)}; ${images.name} of ${sizeText(images)}: ` +
        `give test images of the same size`,
    );
  }
  if (!test.labels && !asksTest(input)) {
    throw new InputError(
      `--test ${name} has no labels, and the teacher is not asked about test images; ` +
        `give labelled images, or let it be asked with --ask-test`,
    );
  }
  checkClassNames(test, student.spec.classNames);
  if (classes > student.spec.classes) {
    throw new InputError(
      `${name} has ${classes} classes and the teacher ${student.spec.classes}; give a test set with the teacher's classes`,
    );
  }
}

function sizeText({ channels, height, width }: ImageShape): string {
  return `${channels} × ${height} × ${width}`;
}

/** More than a day's work on any device, and few enough for a table of their learning rates. */
export const MOST_STEPS = 2 ** 24;

const MOST_ROUNDS = 10_000;

/** Beyond, answers are so soft that f32 rounds away what they tell. */
const HOTTEST = 100;

/**
 * Training steps of a round.
 * @param round its number, or the closing one
 * @param examples that there are by then
 */
export function stepsOf(round: number | "closing", examples: number, { steps, epochs, batch }: DistillOptions): number {
  if (typeof steps === "object") return round === "closing" ? steps.at(-1)! : steps[round];
  return steps ?? Math.max(1, Math.round((examples * epochs) / batch));
}

/** Most training steps of one round: of the plan, or the closing one. */
export function mostSteps(plan: readonly number[], options: DistillOptions): number {
  const rounds = [...plan.keys()].map((round) => stepsOf(round, sum(plan.slice(0, round + 1)), options));
  const { pseudoLabels } = options;
  const closing = pseudoLabels === undefined ? [] : [stepsOf("closing", sum(plan) + pseudoLabels, options)];
  return Math.max(...rounds, ...closing);
}

/** Candidates that are chosen in each round after the first: to be asked about, and for pseudo-labels in a closing one. */
export function chosenInRounds([, ...asked]: readonly number[], { pseudoLabels }: DistillOptions): number[] {
  return pseudoLabels === undefined ? asked : [...asked, pseudoLabels];
}

function checkSteps(plan: readonly number[], { steps, pseudoLabels }: DistillOptions): void {
  const rounds = plan.length + (pseudoLabels === undefined ? 0 : 1);
  if (typeof steps === "object" && steps.length !== rounds) {
    throw new InputError(
      `--steps gives ${steps.length} numbers; expected one for all rounds, or one for each of the ${rounds}, ` +
        `the round of the real images first` +
        (pseudoLabels === undefined ? "" : ", that of pseudo-labels last"),
    );
  }
}

/**
 * Images that are trained on and asked about in each round, the real ones first: with those held out they sum to the
 * budget less its reserve at most; to less where `totals` end before it. The real images alone where the strategy
 * asks about nothing else, and where `rounds` is 0 and neither `perRound` nor `totals` stands in its place. A closing
 * round of pseudo-labels, which asks nothing, is not among them.
 * @param held real images that are held out
 * @throws InputError where an option is out of range, or the budget does not cover the real images.
 */
export function planRounds(trained: number, options: DistillOptions, held = 0): number[] {
  const n = trained + held;
  const { budget, reserve, rounds, perRound, totals, epochs, steps, batch, strategy, lambdas } = options;
  requireWhole("--budget", budget, 1);
  requireWhole("--reserve", reserve, 0);
  requireWhole("--rounds", rounds, 0);
  requireWhole("--batch", batch, 1);
  requireWhole("--seed", options.seed, 0);
  if (steps === undefined) requireWhole("--epochs", epochs, 1);
  else for (const count of typeof steps === "number" ? [steps] : steps) requireWhole("--steps", count, 1);
  if (perRound !== undefined) requireWhole("--per-round", perRound, 1);
  checkLambdas(lambdas);
  if (budget < n) {
    throw new InputError(
      `--budget is ${budget} and --n is ${n}: the real images alone take ${n} queries; raise --budget or lower --n`,
    );
  }
  const left = budget - reserve - n;
  if (left < 0) {
    throw new InputError(
      `--budget is ${budget} with a reserve of ${reserve}, and --n is ${n}: the real images alone take ${n} queries; ` +
        `raise --budget, or lower --reserve or --n`,
    );
  }
  if (!findStrategy(strategy).create) return [trained];
  if (totals) return planTotals(trained, n, budget - reserve, totals);
  if (left === 0) return [trained];
  const count = perRound === undefined ? Math.min(rounds, left) : Math.ceil(left / perRound);
  if (count > MOST_ROUNDS) {
    throw new InputError(`the budget would be spent in ${count} rounds; expected at most ${MOST_ROUNDS}`);
  }
  if (perRound !== undefined) {
    const full = Math.floor(left / perRound);
    const rest = left - full * perRound;
    return [trained, ...new Array<number>(full).fill(perRound), ...(rest > 0 ? [rest] : [])];
  }
  if (rounds === 0) return [trained];
  const base = Math.floor(left / count);
  const extra = left - base * count;
  return [trained, ...Array.from({ length: count }, (_, index) => base + (index < extra ? 1 : 0))];
}

/** The rounds that bring what was asked about to each of `totals`. */
function planTotals(trained: number, n: number, most: number, totals: readonly number[]): number[] {
  let before = n;
  const rounds = totals.map((total) => {
    requireWhole("--totals", total, 1);
    if (total <= before) {
      throw new InputError(
        `--totals holds ${total} after ${before}; expected growing numbers, each above the one before, from above --n ${n}`,
      );
    }
    const asked = total - before;
    before = total;
    return asked;
  });
  if (before > most) {
    throw new InputError(
      `--totals ends with ${before}, and the budget covers ${most}; raise --budget or lower the last`,
    );
  }
  return [trained, ...rounds];
}

function requireWhole(option: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > 0xffffffff) {
    throw new InputError(`${option} is ${value}; expected a whole number from ${least} up`);
  }
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
