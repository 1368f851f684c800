import { Examples, Trainer } from "../nn/index.js";
import type { Tensor } from "../tensor/index.js";
import { findStrategy, type Acquisition } from "./acquisition/index.js";
import { Beliefs } from "./beliefs.js";
import { candidateKinds, createCandidates, type Candidates } from "./candidates/index.js";
import { Committee } from "./committee.js";
import type { DistillInput } from "./distill-input.js";
import { chosenInRounds, mostSteps, sum } from "./plan.js";
import { TrainingImages } from "./training-images.js";

/** What a run holds on the device while it goes on. */
export interface Equipment {
  readonly images: TrainingImages;
  readonly examples: Examples;
  readonly trainer: Trainer;
  /** The other students of the committee, where the strategy asks one. */
  readonly committee: Committee | undefined;
  readonly selection: Selection | undefined;
}

/** What is chosen from, and how. */
export interface Selection {
  readonly candidates: Candidates;
  readonly acquisition: Acquisition;
  /** What the student says of those that were chosen. */
  readonly beliefs: Beliefs;
}

/**
 * Takes the memory that a run needs, and records its steps.
 * @param plan queries of each round
 */
export async function createEquipment(
  input: DistillInput,
  plan: readonly number[],
  classes: number,
): Promise<Equipment> {
  const { images: real, student, options } = input;
  const chosen = sum(chosenInRounds(plan, options));
  const kept = candidateKinds[options.candidates].compositions ? chosen : 0;
  const images = new TrainingImages(student.device, real, kept);
  const examples = new Examples(student.device, images.tensor, plan[0] + chosen, classes);
  const most = mostSteps(plan, options);
  const trainer = await Trainer.create(student, examples, options, most);
  const { committee: asksCommittee = false } = findStrategy(options.strategy);
  const committee =
    asksCommittee && plan.length > 1 ? await Committee.create(student, examples, options, most) : undefined;
  const selection = plan.length > 1 ? await select(input, plan, images.real, committee) : undefined;
  return { images, examples, trainer, committee, selection };
}

/** Gives the memory back. */
export function disposeEquipment({ images, examples, trainer, committee, selection }: Equipment): void {
  selection?.acquisition.dispose();
  selection?.beliefs.dispose();
  selection?.candidates.dispose();
  committee?.dispose();
  trainer.dispose();
  images.dispose();
  examples.dispose();
}

/** The candidates that the options mean, and what chooses from them. */
async function select(
  { images, student, options }: DistillInput,
  [, ...rounds]: readonly number[],
  real: Tensor<"u8">,
  committee: Committee | undefined,
): Promise<Selection> {
  const { strategy, seed, badgeSample } = options;
  const { create, single = false } = findStrategy(strategy);
  const candidates = createCandidates(images, real, options, single);
  const context = { candidates, student, others: committee?.networks, seed, badgeSample };
  const acquisition = await create!(context);
  return { candidates, acquisition, beliefs: await Beliefs.create(student, Math.max(1, ...rounds)) };
}
