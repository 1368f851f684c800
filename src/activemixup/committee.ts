import { InputError } from "../errors.js";
import { Network, Trainer, type Examples, type FitOptions, type NetworkState } from "../nn/index.js";
import type { DistillOptions } from "./options.js";
import type { Checkpoint } from "./report.js";
import { RoundStart } from "./round-start.js";
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
  readonly seed: number;
  readonly start: RoundStart;
}

/**
 * The students of a committee but for the one that is kept: of its architecture, trained on the same examples, with first
 * weights, order, augmentation and dropout by seeds of their own.
 */
export class Committee {
  /** Training steps that each member has made. */
  private made = 0;

  private constructor(
    private readonly members: readonly Member[],
    private readonly options: DistillOptions,
  ) {}

  /** @param student the one that is kept */
  static async create({ device, spec }: Network, options: DistillOptions): Promise<Committee> {
    const { committee = COMMITTEE } = options;
    const members: Member[] = [];
    for (let member = 1; member < committee; member++) {
      const seed = studentSeed(options.seed, member);
      const network = new Network(device, spec, seed);
      members.push({ network, seed, start: await RoundStart.of(network, options) });
    }
    return new Committee(members, options);
  }

  get networks(): Network[] {
    return this.members.map(({ network }) => network);
  }

  /**
   * Trains the members one after the other, each with the memory that the one before gave back.
   * @param onProgress hears of the steps that all have made
   * @throws InputError where one diverges
   */
  async train(round: number, examples: Examples, { onProgress, ...fit }: FitOptions): Promise<void> {
    const { steps } = fit;
    for (const [index, { network, seed, start }] of this.members.entries()) {
      await start.begin(round);
      const trainer = await Trainer.create(network, examples, { ...this.options, seed }, steps);
      try {
        trainer.skip(this.made);
        const hearing = (done: number) => onProgress?.(index * steps + done);
        const loss = await trainer.fit(round, { ...fit, onProgress: hearing });
        if (!Number.isFinite(loss)) {
          throw new InputError(
            `a student of the committee diverged in round ${round}: its loss is ${loss}; lower --rate`,
          );
        }
      } finally {
        trainer.dispose();
      }
    }
    this.made += steps;
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
    for (const [index, { network }] of this.members.entries()) network.load(committee[index], "the checkpoint");
    this.made = steps;
  }

  dispose(): void {
    for (const { network } of this.members) network.dispose();
  }
}
