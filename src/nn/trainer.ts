import { InputError, ShapeError } from "../errors.js";
import {
  accumulateMean,
  advance,
  batchIndices,
  blendImages,
  drawWarps,
  gatherRows,
  softmaxCrossEntropy,
  warpBlends,
  type Blend,
  type Normalisation,
  type WarpRanges,
} from "../kernels/index.js";
import {
  createTensor,
  RandomStream,
  readTensor,
  record,
  replay,
  writeTensor,
  type Recorder,
  type Recording,
  type ReplayOptions,
  type Tensor,
} from "../tensor/index.js";
import type { Examples } from "./examples.js";
import { orderOf, type Emphasis } from "./example-order.js";
import type { Network } from "./network.js";
import { Optimizer, type OptimizerOptions } from "./optimizer.js";
import { Owned } from "./owned.js";
import { milestoneSteps, scheduleRates, type Schedule } from "./schedule.js";
import { WeightAverage } from "./weight-average.js";

/** Random changes of the training images that cost no query. */
export interface Augmentation {
  /** Largest shift in pixels on each axis; what enters is black (a crop after padding). Of no account with `warp`. */
  readonly crop: number;
  /** Mirror left and right with probability ½. Of no account with `warp`, which has a flip of its own. */
  readonly flip: boolean;
  /** Turn, scale, shear, shift and bend images instead. */
  readonly warp?: WarpRanges | undefined;
}

/** What a {@link Trainer} is made with. */
export interface TrainerOptions {
  /** Examples a step. */
  readonly batch: number;
  readonly optimizer: OptimizerOptions;
  readonly augmentation: Augmentation;
  /** Softens what the network says of the examples, whose targets have to be softened likewise; 1 where absent. */
  readonly temperature?: number | undefined;
  /**
   * Share of a fit's steps, above 0 and at most 1: the network ends a fit with the mean of its weights over the last so
   * many. With the last step's where absent.
   */
  readonly average?: number | undefined;
  /** Seed of the order of examples, of augmentation and of dropout. */
  readonly seed: number;
}

/** What one call of {@link Trainer.fit} does. */
export interface FitOptions extends ReplayOptions {
  readonly steps: number;
  readonly schedule: Schedule;
  /** Has some examples in each batch oftener than their number gives. */
  readonly emphasis?: Emphasis | undefined;
  /** Whether images are warped as the trainer's augmentation says; true where absent. */
  readonly warped?: boolean | undefined;
  /** Called after each pass over the examples with the mean loss of its steps (nats). */
  readonly onEpoch?: (epoch: { step: number; loss: number }) => void;
}

/** What a training step is recorded of. */
interface StepParts {
  readonly network: Network;
  readonly examples: Examples;
  readonly optimizer: Optimizer;
  readonly average: WeightAverage | undefined;
  readonly state: StepState;
}

/**
 * Trains a network on examples by soft-target cross-entropy. One step is recorded at creation and replayed from then
 * on, until images are to be warped otherwise: it looks up its batch, learning rate and random numbers by a step counter
 * in device memory.
 */
export class Trainer {
  /** The call of {@link fit} before, which has to be done with the state. */
  private before: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly parts: StepParts,
    private readonly options: TrainerOptions,
    private warped: boolean,
    private current: Recording<unknown>,
  ) {}

  /**
   * Records the training step.
   * @param mostSteps most steps of one {@link fit}
   * @throws InputError where an option is out of its range, or the optimizer's kind is none; ShapeError where `batch`
   * or `mostSteps` is no whole number from 1 up, or the examples' images or classes are not the network's; DeviceError
   * where the device cannot run the step
   */
  static async create(
    network: Network,
    examples: Examples,
    options: TrainerOptions,
    mostSteps: number,
  ): Promise<Trainer> {
    const made = new Owned();
    const { own } = made;
    try {
      const average = options.average === undefined ? undefined : own(new WeightAverage(network, options.average));
      const optimizer = own(new Optimizer(network, options.optimizer));
      const state = createState(network, examples, options.batch, mostSteps, own);
      const parts = { network, examples, optimizer, average, state };
      return new Trainer(parts, options, true, await recordTraining(parts, options));
    } catch (error) {
      made.dispose();
      throw error;
    }
  }

  /** The training step that {@link fit} replays; a fit that warps otherwise than the one before records another. */
  get recording(): Recording<unknown> {
    return this.current;
  }

  /**
   * Counts steps as made by an earlier trainer of the same run: the random numbers go on where those of it ended.
   * @param steps of all its calls of {@link fit}
   */
  skip(steps: number): void {
    writeTensor(this.parts.state.draw, [steps]);
  }

  /** Bytes of memory for activations and their gradients. */
  get temporaryBytes(): number {
    return this.current.temporaryBytes;
  }

  /**
   * Trains for `steps` steps, at least 1, over shuffled passes of the examples, with the optimizer and the schedule
   * from their start. Calls that overlap are done one after the other.
   * @param round tells apart the random numbers of several calls: a whole number from 0 to 65535
   * @returns mean cross-entropy at the temperature, of the last pass, in nats; of the weights before they are averaged
   * @throws InputError where there are no examples, or round, steps, schedule or emphasis are out of range; ShapeError
   * where the steps are more than the trainer was made for; the signal's reason; DeviceError where the device is lost
   */
  fit(round: number, options: FitOptions): Promise<number> {
    const fitted = this.before.then(() => this.fitNow(round, options));
    this.before = fitted.catch(() => undefined);
    return fitted;
  }

  private async fitNow(round: number, { warped = true, ...options }: FitOptions): Promise<number> {
    if (!Number.isInteger(round) || round < 0 || round > 0xffff) {
      throw new InputError(`trainer: round is ${round}; expected a whole number from 0 to ${0xffff}`);
    }
    const { steps, schedule, emphasis, onEpoch, onProgress, signal } = options;
    const { batch, seed, temperature = 1 } = this.options;
    const { optimizer, examples, average } = this.parts;
    const { count } = examples;
    const { rates, step, position, order, loss } = this.parts.state;
    await this.warp(warped);
    optimizer.reset(0);
    writeTensor(rates, scheduleRates(schedule, steps));
    writeTensor(step, [0]);
    average?.begin(steps);
    // As the authors do, the optimizer begins anew where the learning rate drops.
    const drops = milestoneSteps(schedule, steps);
    const stream = orderOf(count, batch, emphasis, seed, round);
    const stepsPerEpoch = Math.max(1, Math.round(count / batch));
    const lastEpoch = steps - (steps % stepsPerEpoch || stepsPerEpoch);
    // Passes whose loss nobody hears of follow one another without a wait, as many as there is an order for.
    const passes = onEpoch ? 1 : Math.floor(order.size / batch / stepsPerEpoch);
    let lastLoss = NaN;
    for (let done = 0; done < steps;) {
      const now = done < lastEpoch ? Math.min(passes * stepsPerEpoch, lastEpoch - done) : steps - done;
      writeTensor(order, stream.take(now * batch));
      writeTensor(position, [0]);
      writeTensor(loss, [0]);
      for (const end = done + now; done < end;) {
        const before = done;
        const part = Math.min(end, drops.find((drop) => drop > done) ?? end) - done;
        await replay(this.current, part, { signal, onProgress: (ran) => onProgress?.(before + ran) });
        done += part;
        if (drops.includes(done)) optimizer.reset(done);
      }
      lastLoss = (await readTensor(loss))[0] / now / temperature ** 2;
      onEpoch?.({ step: done, loss: lastLoss });
    }
    await average?.finish();
    return lastLoss;
  }

  /** Records the step anew where images are to be warped that were not, or the other way round. */
  private async warp(warped: boolean): Promise<void> {
    const { augmentation } = this.options;
    if (!augmentation.warp || warped === this.warped) return;
    const options = warped ? this.options : { ...this.options, augmentation: { ...augmentation, warp: undefined } };
    // Before the other is made: two would take twice the memory for activations.
    this.current.dispose();
    this.current = await recordTraining(this.parts, options);
    this.warped = warped;
  }

  dispose(): void {
    const { optimizer, average, state } = this.parts;
    this.current.dispose();
    optimizer.dispose();
    average?.dispose();
    for (const tensor of Object.values<Tensor>({ ...state })) tensor.dispose();
  }
}

function recordTraining(parts: StepParts, options: TrainerOptions): Promise<Recording<unknown>> {
  return record(parts.network.device, (recorder) => {
    recordStep(recorder, parts, options);
  });
}

/** What changes from step to step, in device memory. */
interface StepState {
  readonly rates: Tensor<"f32">;
  /** Steps since the start of the fit: picks the learning rate. */
  readonly step: Tensor<"u32">;
  /** Steps since the order was written: picks the batch. */
  readonly position: Tensor<"u32">;
  /** Steps since the trainer was made: the counter of the random numbers, never the same twice. */
  readonly draw: Tensor<"u32">;
  /** Example numbers of the coming steps, one batch after the other. */
  readonly order: Tensor<"u32">;
  /** Sum of the steps' mean losses. */
  readonly loss: Tensor<"f32">;
}

/** Steps at least that an order is written for at a time: short passes would wait for the device too often. */
const ORDERED = 256;

/** @param own disposes of what was made before something fails */
function createState(
  { device }: Network,
  { capacity }: Examples,
  batch: number,
  mostSteps: number,
  own: Owned["own"],
): StepState {
  expectCount("batch", batch);
  expectCount("mostSteps", mostSteps);
  const orderLength = Math.max(ORDERED, Math.round(capacity / batch)) * batch;
  const counter = (name: string) => own(createTensor(device, [1], { dtype: "u32", name }));
  return {
    rates: own(createTensor(device, [mostSteps], { name: "learning rates" })),
    step: counter("step"),
    position: counter("position"),
    draw: counter("draw"),
    order: own(createTensor(device, [orderLength], { dtype: "u32", name: "order" })),
    loss: own(createTensor(device, [1], { name: "loss" })),
  };
}

function expectCount(what: string, count: number): void {
  if (Number.isSafeInteger(count) && count >= 1) return;
  throw new ShapeError(`trainer: ${what} is ${count}; expected a whole number from 1 up`);
}

/** One step of the training: the flow that docs/architecture.md tells. */
function recordStep(
  recorder: Recorder,
  { network, examples, optimizer, average, state }: StepParts,
  { batch, augmentation, temperature, seed }: TrainerOptions,
): void {
  const { mean, deviation } = network.spec;
  const chosen = batchIndices(recorder, state.order, state.position, batch);
  const blend = {
    first: gatherRows(recorder, examples.first, chosen),
    second: gatherRows(recorder, examples.second, chosen),
    weight: gatherRows(recorder, examples.weight, chosen),
  };
  const targets = gatherRows(recorder, examples.targets, chosen);
  const images = augmented(recorder, examples.images, blend, { mean, std: deviation }, augmentation, seed, state.draw);
  const { output, backward } = network.forward({ recorder, training: true, seed, step: state.draw }, images);
  const { losses, gradient } = softmaxCrossEntropy(recorder, output, targets, { temperature });
  accumulateMean(recorder, losses, state.loss);
  backward(gradient, false);
  optimizer.record(recorder, state.rates, state.step);
  average?.record(recorder, state.step);
  advance(recorder, state.step, state.position, state.draw);
}

/** Records this step's images, changed at random. */
function augmented(
  recorder: Recorder,
  images: Tensor<"u8">,
  blend: Blend,
  normalisation: Normalisation,
  { crop, flip, warp }: Augmentation,
  seed: number,
  counter: Tensor<"u32">,
): Tensor<"f32"> {
  if (warp) {
    const draw = { ranges: warp, seed, stream: RandomStream.augment, counter };
    return warpBlends(recorder, images, blend, drawWarps(recorder, blend.first.shape[0], draw), normalisation);
  }
  const augment = crop > 0 || flip ? { crop, flip, seed, counter } : undefined;
  return blendImages(recorder, images, blend, { ...normalisation, augment });
}
