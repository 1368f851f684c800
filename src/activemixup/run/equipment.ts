import { Examples, Trainer } from "../../nn/index.js";
import { findStrategy, type Acquisition } from "../acquisition/index.js";
import { Beliefs } from "../beliefs.js";
import { isChoice, type Chosen } from "../candidates/candidates.js";
import { candidateKinds, createCandidates, type Candidates } from "../candidates/index.js";
import { nearestImages } from "../candidates/neighbours.js";
import { countPairs } from "../candidates/pool.js";
import { Committee } from "../committee.js";
import type { DistillInput } from "../distill-input.js";
import { chosenInRounds, mostSteps, sum } from "../plan.js";
import { exampleOfBlend, exampleOfRow, TrainingImages, type Example } from "../training-images.js";

/** What a run holds on the device while it goes on. */
export interface Equipment {
  readonly images: TrainingImages;
  readonly examples: Examples;
  readonly trainer: Trainer;
  /** The other students of the committee, where the strategy asks one. */
  readonly committee: Committee | undefined;
  /** What is chosen from, where anything is. */
  readonly candidates: Candidates | undefined;
  /** Where candidates are chosen to be asked about. */
  readonly selection: Selection | undefined;
}

/** How it is chosen what is asked about. */
export interface Selection {
  readonly acquisition: Acquisition;
  /** What the student says of what was chosen. */
  readonly beliefs: Beliefs;
}

/**
 * Takes the memory that a run needs, and records its steps.
 * @param plan queries of each round
 * @param classes of the answers
 */
export async function createEquipment(
  input: DistillInput,
  plan: readonly number[],
  classes: number,
): Promise<Equipment> {
  const { images: real, student, options } = input;
  const chosen = chosenInRounds(plan, options);
  // First, since it can be aborted: nothing else has memory by then.
  const neighbours = chosen.length > 0 ? await neighboursOf(input) : undefined;
  const kept = candidateKinds[options.candidates].compositions ? sum(chosen) : 0;
  const images = new TrainingImages(student.device, real, kept);
  const examples = new Examples(student.device, images.tensor, plan[0] + sum(chosen), classes);
  const trainer = await Trainer.create(student, examples, options, mostSteps(plan, options));
  const { committee: asksCommittee = false, single = false } = findStrategy(options.strategy);
  const committee = asksCommittee && plan.length > 1 ? await Committee.create(student, options) : undefined;
  const candidates =
    chosen.length > 0 ? createCandidates(real, images.real, options, { single, neighbours }) : undefined;
  const selection = plan.length > 1 ? await select(input, plan, candidates!, committee) : undefined;
  return { images, examples, trainer, committee, candidates, selection };
}

/** Of each real image those that a second image of candidates is drawn from, where not all are. */
async function neighboursOf({
  images,
  options,
  observer,
  resume,
  signal,
}: DistillInput): Promise<Uint32Array | undefined> {
  const { neighbours } = options;
  if (neighbours === undefined) return undefined;
  const round = resume?.rounds.length ?? 0;
  const pairs = countPairs(images.count);
  const onProgress = (done: number) => observer?.onProgress?.("prepare", round, done, pairs);
  return nearestImages(images, neighbours, { signal, onProgress });
}

/** Gives the memory back. */
export function disposeEquipment({ images, examples, trainer, committee, candidates, selection }: Equipment): void {
  selection?.acquisition.dispose();
  selection?.beliefs.dispose();
  candidates?.dispose();
  committee?.dispose();
  trainer.dispose();
  images.dispose();
  examples.dispose();
}

/**
 * An image as an example; a composition is kept among the training images, once each time that this is called.
 * @param pixels of the image
 */
export function exampleOf(
  { images, candidates }: Pick<Equipment, "images" | "candidates">,
  image: Chosen,
  pixels: Uint8Array,
): Example {
  return isChoice(image) && candidates?.areBlends === false ? exampleOfRow(images.keep(pixels)) : exampleOfBlend(image);
}

async function select(
  { student, options: { strategy, seed, badgeSample } }: DistillInput,
  [, ...rounds]: readonly number[],
  candidates: Candidates,
  committee: Committee | undefined,
): Promise<Selection> {
  const context = { candidates, student, others: committee?.networks, seed, badgeSample };
  const acquisition = await findStrategy(strategy).create!(context);
  return { acquisition, beliefs: await Beliefs.create(student, Math.max(1, ...rounds)) };
}
