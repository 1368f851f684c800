import { advance, candidateBlends, gatherRows, scorePairs, selectLowest } from "../../kernels/index.js";
import {
  createTensor,
  readTensor,
  record,
  replay,
  writeTensor,
  type Recording,
  type ReplayOptions,
  type Tensor,
} from "../../tensor/index.js";
import { lambdaWeight } from "../blend.js";
import type { Acquisition, AcquisitionContext, Choice } from "./acquisition.js";
import { chooseBlendAt, scoringWork, type BlendAt } from "./blend-at.js";
import { FeatureBlends, PixelBlends, type BlendLogits } from "./blend-logits.js";

/** Images in one recorded batch of scoring. */
const BATCH = 1024;

interface Selected {
  readonly indices: Tensor<"u32">;
  readonly scores: Tensor<"f32">;
  readonly choices: Tensor<"u32">;
}

/**
 * The paper's rule. Each pair's score is the student's confidence in its blend, the smallest over the λ grid (or at one
 * random λ a pair where `single`); the pairs of lowest score are chosen. Blending, scoring and selection run on the
 * device; what comes back is the chosen candidates alone.
 */
export class ConfidenceAcquisition implements Acquisition {
  private readonly selections = new Map<number, Recording<Selected>>();

  private constructor(
    private readonly context: AcquisitionContext,
    readonly blendAt: BlendAt,
    private readonly blends: BlendLogits,
    private readonly tensors: ScoringTensors,
    private readonly pairsInBatch: number,
    /** Scores one batch of the pool. */
    readonly scoring: Recording<unknown>,
  ) {}

  static async create(context: AcquisitionContext, single: boolean): Promise<ConfidenceAcquisition> {
    const { pool, lambdas, student, images, seed } = context;
    const { device } = student;
    const blendsOfPair = single ? 1 : lambdas.length;
    const work = scoringWork(student, pool.images, pool.size, blendsOfPair);
    const blendAt = context.blendAt ?? chooseBlendAt(work, device.capabilities);
    const blends =
      blendAt === "features"
        ? await FeatureBlends.create(student, images, blendsOfPair)
        : new PixelBlends(student, images);
    const pairsInBatch = Math.min(pool.size, Math.max(1, Math.floor(BATCH / blendsOfPair)));
    const tensors: ScoringTensors = {
      taken: createTensor(device, [pool.size], { dtype: "u32", name: "taken" }),
      scores: createTensor(device, [pool.size], { name: "scores" }),
      choices: createTensor(device, [pool.size], { dtype: "u32", name: "choices" }),
      position: createTensor(device, [1], { dtype: "u32", name: "position" }),
      lambdas: createTensor(device, [lambdas.length], {
        dtype: "u32",
        data: lambdas.map(lambdaWeight),
        name: "lambdas",
      }),
      ...(pool.pairs
        ? { pairs: createTensor(device, [pool.size], { dtype: "u32", data: pool.pairs, name: "pairs" }) }
        : {}),
    };
    const scoring = await record(device, (recorder) => {
      const candidates = {
        images: pool.images,
        pool: pool.size,
        pairs: tensors.pairs,
        lambdas: tensors.lambdas,
        counter: tensors.position,
        batch: pairsInBatch,
        ...(single ? { single: { seed } } : {}),
      };
      const blend = candidateBlends(recorder, candidates);
      const { taken, scores, choices, position } = tensors;
      scorePairs(recorder, blends.record(recorder, blend), {
        counter: position,
        taken,
        scores,
        choices,
        lambdas: lambdas.length,
        ...(single ? { single: { seed } } : {}),
      });
      advance(recorder, position);
    });
    return new ConfidenceAcquisition(context, blendAt, blends, tensors, pairsInBatch, scoring);
  }

  async select(count: number, _round: number, options: ReplayOptions): Promise<Choice[]> {
    const { pool, lambdas } = this.context;
    writeTensor(this.tensors.taken, pool.taken);
    writeTensor(this.tensors.position, [0]);
    await this.blends.refresh(options);
    await replay(this.scoring, Math.ceil(pool.size / this.pairsInBatch), {
      ...options,
      onProgress: (batches) => options.onProgress?.(Math.min(pool.size, batches * this.pairsInBatch)),
    });
    const selection = await this.selection(count);
    selection.run();
    const [indices, scores, choices] = await Promise.all([
      readTensor(selection.result.indices),
      readTensor(selection.result.scores),
      readTensor(selection.result.choices),
    ]);
    return Array.from(indices, (candidate, index) => ({
      candidate,
      ...pool.pairOf(candidate),
      lambda: lambdas[choices[index]],
      confidence: scores[index],
    })).sort((a, b) => a.confidence - b.confidence || a.candidate - b.candidate);
  }

  dispose(): void {
    this.scoring.dispose();
    this.blends.dispose();
    for (const selection of this.selections.values()) selection.dispose();
    for (const tensor of Object.values<Tensor>({ ...this.tensors })) tensor.dispose();
  }

  /** The recorded selection of the `count` lowest scores; rounds mostly share one. */
  private async selection(count: number): Promise<Recording<Selected>> {
    let selection = this.selections.get(count);
    if (!selection) {
      const { scores, choices } = this.tensors;
      selection = await record(this.context.student.device, (recorder) => {
        const { indices } = selectLowest(recorder, scores, count);
        return {
          indices: recorder.keep(indices),
          scores: recorder.keep(gatherRows(recorder, scores, indices)),
          choices: recorder.keep(gatherRows(recorder, choices, indices)),
        };
      });
      this.selections.set(count, selection);
    }
    return selection;
  }
}

interface ScoringTensors {
  readonly taken: Tensor<"u32">;
  readonly scores: Tensor<"f32">;
  /** Index of the λ that attains the score. */
  readonly choices: Tensor<"u32">;
  readonly position: Tensor<"u32">;
  /** Weights in 65536ths. */
  readonly lambdas: Tensor<"u32">;
  readonly pairs?: Tensor<"u32">;
}
