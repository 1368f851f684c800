import { InputError } from "../../errors.js";
import {
  advance,
  drawLambda,
  embedGradients,
  embeddingShape,
  gatherRows,
  pickSeed,
  scorePairs,
} from "../../kernels/index.js";
import {
  createTensor,
  Philox,
  RandomStream,
  readTensor,
  record,
  Recorder,
  replay,
  sizeOf,
  writeTensor,
  type Recording,
  type ReplayOptions,
  type Tensor,
} from "../../tensor/index.js";
import type { Network } from "../../nn/index.js";
import type { BlendAt } from "../candidates/blend-at.js";
import type { CandidateView, Choice } from "../candidates/candidates.js";
import type { Acquisition, AcquisitionContext } from "./acquisition.js";

/** m where the context names none: 7.6 MB of embeddings for LeNet-5, and 1 to 2 ms a pick (lavapipe, 2 cores, 2026-11). */
const SAMPLE = 20_000;
/** Where more are chosen than a fraction of those: m for each that is chosen, or there would be little to choose. */
const LEAST_CHOICE = 4;

/** m: candidates that k of them are chosen from. */
function sampleSize(count: number, badgeSample?: number): number {
  return Math.max(badgeSample ?? Math.max(SAMPLE, LEAST_CHOICE * count), count);
}

/**
 * Requires there to be something to choose, and the gradients of a round to fit the device.
 * @param rounds how many candidates each chooses
 * @throws InputError where a round takes the whole sample, or the gradients of the largest do not fit
 */
export function checkBadge(student: Network, rounds: readonly number[], badgeSample?: number): void {
  const most = Math.max(...rounds);
  if (badgeSample !== undefined && badgeSample <= most) {
    throw new InputError(
      `--badge-sample is ${badgeSample}, and a round asks about ${most}, which would be all of these or more; ` +
        `expected more than ${most}, or --strategy random`,
    );
  }
  const { device, spec, inputShape } = student;
  const recorder = new Recorder(device);
  // Recorded for its shape alone.
  const pass = { recorder, training: false, seed: 0 };
  const { features } = student.forwardWithFeatures(pass, recorder.temporary(inputShape, "image"));
  const candidates = sampleSize(most, badgeSample);
  const bytes = 4 * sizeOf(embeddingShape({ candidates, classes: spec.classes, features: features.shape[1] }));
  const { bindingBytes } = device.capabilities;
  if (bytes <= bindingBytes) return;
  throw new InputError(
    `--strategy badge keeps the gradients of ${candidates} candidates, ${bytes} bytes, and the device takes ` +
      `${bindingBytes}; lower --badge-sample, or make more rounds`,
  );
}

/**
 * BADGE (Ash, Zhang, Krishnamurthy, Langford, Agarwal, "Deep Batch Active Learning by Diverse, Uncertain Gradient Lower
 * Bounds", ICLR 2020, arXiv 1906.03671). A candidate is seen as the gradient that it would give the student's last layer
 * if the student's own answer were right: long where the student is unsure, and pointing elsewhere where it sees
 * something else. Of m random candidates that are still to be had, k are chosen that lie far from each other, by the
 * seeding of k-means++: the longest gradient first, each other with a probability proportional to its squared distance
 * to the nearest one chosen before it.
 *
 * A pair is looked at with one random λ of the grid: with all of them a round would cost as many times as much as there
 * are λ, and the distances would still hold for one λ of each pair alone.
 */
export class BadgeAcquisition implements Acquisition {
  /** For the m and k of the last round: mostly those of the next. */
  private stage: Stage | undefined;

  private constructor(
    private readonly context: AcquisitionContext,
    private readonly view: CandidateView,
  ) {}

  /** @throws InputError where `badgeSample` is no whole number from 1 up. */
  static async create(context: AcquisitionContext): Promise<BadgeAcquisition> {
    const { badgeSample: sample, candidates, student } = context;
    if (sample !== undefined && !(Number.isInteger(sample) && sample >= 1)) {
      throw new InputError(`--badge-sample is ${sample}; expected a whole number of candidates from 1 up`);
    }
    if (candidates.lambdas > 1 && !candidates.single) {
      throw new Error("badge: candidates come with the whole grid; expected one λ each");
    }
    return new BadgeAcquisition(context, await candidates.view(student));
  }

  get blendAt(): BlendAt | undefined {
    return this.view.blendAt;
  }

  async select(count: number, round: number, { onProgress, signal }: ReplayOptions): Promise<Choice[]> {
    const { candidates, seed, badgeSample } = this.context;
    const { single, lambdas, size, taken } = candidates;
    const left = Uint32Array.from(taken.keys()).filter((place) => taken[place] === 0);
    const sampled = Math.min(left.length, sampleSize(count, badgeSample));
    const random = new Philox(seed, RandomStream.acquisition, round);
    const places = random.sample(sampled, left.length).map((index) => left[index]);
    if (this.stage?.sampled !== sampled || this.stage.count !== count) {
      this.stage?.dispose();
      this.stage = undefined;
      this.stage = await Stage.create(this.context, this.view, sampled, count);
    }
    await this.view.refresh({ signal });
    const { chosen, confidences } = await this.stage.run(places, round, {
      signal,
      // The caller counts candidates; looking at them and picking some are taken for halves of the work.
      onProgress: (share) => onProgress?.(Math.round(share * size)),
    });
    return Array.from(chosen, (at, index) => ({
      ...candidates.choice(places[at], single ? drawLambda(at, single.seed, lambdas) : 0),
      confidence: confidences[index],
    }));
  }

  dispose(): void {
    this.stage?.dispose();
    this.view.dispose();
  }
}

/** What is recorded for a round of k of m candidates, and the memory that it takes. */
class Stage {
  private constructor(
    readonly sampled: number,
    readonly count: number,
    private readonly batch: number,
    private readonly tensors: StageTensors,
    private readonly looking: Recording<unknown>,
    private readonly picking: Recording<unknown>,
    private readonly confidences: Recording<Tensor<"f32">>,
  ) {}

  static async create(
    { candidates, student, seed }: AcquisitionContext,
    view: CandidateView,
    sampled: number,
    count: number,
  ): Promise<Stage> {
    const { device, spec } = student;
    const { classes } = spec;
    const words = (name: string, size = 1) => createTensor(device, [size], { dtype: "u32", name });
    const position = words("position");
    // Recorded for its shape alone.
    const { features } = view.record(new Recorder(device), position);
    const shape = embeddingShape({ candidates: sampled, classes, features: features.shape[1] });
    const tensors: StageTensors = {
      position,
      places: words("places", sampled),
      none: createTensor(device, [sampled], { dtype: "u32", data: new Uint32Array(sampled), name: "none taken" }),
      scores: createTensor(device, [sampled], { name: "scores" }),
      choices: words("choices", sampled),
      embeddings: createTensor(device, shape, { name: "embeddings" }),
      nearest: createTensor(device, [shape[1]], { name: "nearest" }),
      centre: createTensor(device, [shape[0]], { name: "centre" }),
      round: words("round"),
      counter: words("counter"),
      chosen: words("chosen", count),
    };
    const looking = await record(device, (recorder) => {
      const { places, none, scores, choices, embeddings } = tensors;
      const { logits, features } = view.record(recorder, position, { sample: places });
      embedGradients(recorder, logits, features, { counter: position, candidates: sampled, embeddings });
      scorePairs(recorder, logits, { counter: position, taken: none, scores, choices, lambdas: 1 });
      advance(recorder, position);
    });
    const picking = await record(device, (recorder) => {
      pickSeed(recorder, tensors.embeddings, { ...tensors, candidates: sampled, classes, seed });
    });
    const confidences = await record(device, (recorder) =>
      recorder.keep(gatherRows(recorder, tensors.scores, tensors.chosen)),
    );
    return new Stage(sampled, count, candidates.batch, tensors, looking, picking, confidences);
  }

  /**
   * Looks at the candidates of `places` and picks among them.
   * @param options `onProgress` is told a share of the work, 0 to 1
   * @returns the picks, as indices of `places` in the order in which they were made, and the student's confidence in each
   */
  async run(
    places: Uint32Array,
    round: number,
    { onProgress, signal }: ReplayOptions,
  ): Promise<{ chosen: Uint32Array; confidences: Float32Array }> {
    const { tensors, looking, picking, confidences } = this;
    writeTensor(tensors.places, places);
    writeTensor(tensors.round, [round]);
    for (const counter of [tensors.position, tensors.counter]) writeTensor(counter, [0]);
    const batches = Math.ceil(this.sampled / this.batch);
    await replay(looking, batches, { signal, onProgress: (done) => onProgress?.(done / batches / 2) });
    await replay(picking, this.count, { signal, onProgress: (done) => onProgress?.((1 + done / this.count) / 2) });
    confidences.run();
    const [chosen, scores] = await Promise.all([readTensor(tensors.chosen), readTensor(confidences.result)]);
    return { chosen, confidences: scores };
  }

  dispose(): void {
    for (const recording of [this.looking, this.picking, this.confidences]) recording.dispose();
    for (const tensor of Object.values<Tensor>({ ...this.tensors })) tensor.dispose();
  }
}

interface StageTensors {
  /** Which batch of the sample is looked at. */
  readonly position: Tensor<"u32">;
  /** Of the sample, [m]. */
  readonly places: Tensor<"u32">;
  /** Zeros: what was taken is not in the sample. */
  readonly none: Tensor<"u32">;
  readonly scores: Tensor<"f32">;
  /** Index of a λ among one: zeros. */
  readonly choices: Tensor<"u32">;
  readonly embeddings: Tensor<"f32">;
  readonly nearest: Tensor<"f32">;
  readonly centre: Tensor<"f32">;
  readonly round: Tensor<"u32">;
  /** Picks so far. */
  readonly counter: Tensor<"u32">;
  /** Indices of `places`, [k]. */
  readonly chosen: Tensor<"u32">;
}
