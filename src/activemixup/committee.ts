import { InputError } from "../errors.js";
import { Network, Trainer, type Examples, type FitOptions, type NetworkState } from "../nn/index.js";
import type { DistillOptions } from "./options.js";
import type { Checkpoint } from "./report.js";
import { studentSeed } from "./student-seed.js";

/** Students of a committee, the one that is kept among them, unless told otherwise. */
export const COMMITTEE = 3;

/** Beyond, a committee costs much and says little more (Beluch et al., CVPR 2018: 5 do). */
const MOST = 16;

/**
 * Requires a committee that can disagree.
 * @throws InputError where it is too small or too large
 */
export function checkCommittee(students: number): void {
  if (Number.isInteger(students) && students >= 2 && students <= MOST) return;
  throw new InputError(`--committee is ${students}; expected a whole number from 2 to ${MOST}, the student among them`);
}

interface Member {
  readonly network: Network;
  readonly trainer: Trainer;
  /** Where it starts again each round; it goes on from the last round where absent. */
  readonly start: NetworkState | undefined;
}

/**
 * The students of a committee but for the one that is kept: of its architecture, trained on the same examples for as many
 * steps, with first weights, order, augmentation and dropout by seeds of their own.
 */
export class Committee {
  private constructor(private readonly members: readonly Member[]) {}

  /**
   * @param student the one that is kept
   * @param examples what it is trained on
   * @param mostSteps most steps of one round
   */
  static async create(
    { device, spec }: Network,
    examples: Examples,
    options: DistillOptions,
    mostSteps: number,
  ): Promise<Committee> {
    const { committee = COMMITTEE, restart } = options;
    const members: Member[] = [];
    for (let member = 1; member < committee; member++) {
      const seed = studentSeed(options.seed, member);
      const network = new Network(device, spec, seed);
      const trainer = await Trainer.create(network, examples, { ...options, seed }, mostSteps);
      members.push({ network, trainer, start: restart ? await network.state() : undefined });
    }
    return new Committee(members);
  }

  get networks(): Network[] {
    return this.members.map(({ network }) => network);
  }

  /**
   * Trains all members on the examples.
   * @param onProgress hears of the steps that all have made
   */
  async train(round: number, { onProgress, ...options }: FitOptions): Promise<void> {
    for (const [index, { network, trainer, start }] of this.members.entries()) {
      if (start && round > 0) network.load(start, "the committee's start");
      const before = index * options.steps;
      await trainer.fit(round, { ...options, onProgress: (done) => onProgress?.(before + done) });
    }
  }

  /** The members' weights, for a checkpoint. */
  async state(): Promise<NetworkState[]> {
    const states: NetworkState[] = [];
    for (const { network } of this.members) states.push(await network.state());
    return states;
  }

  /**
   * Has the members go on from a checkpoint.
   * @param steps training steps that each had made by then
   * @throws InputError where the checkpoint is of another committee
   */
  load({ committee = [] }: Checkpoint, steps: number): void {
    if (committee.length !== this.members.length) {
      throw new InputError(
        `the checkpoint holds ${committee.length} students beside the one that is kept; ` +
          `--committee ${this.members.length + 1} expects ${this.members.length}: begin anew`,
      );
    }
    for (const [index, { network, trainer }] of this.members.entries()) {
      network.load(committee[index], "the checkpoint");
      trainer.skip(steps);
    }
  }

  dispose(): void {
    for (const { network, trainer } of this.members) {
      trainer.dispose();
      network.dispose();
    }
  }
}
