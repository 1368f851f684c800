import { InputError } from "../../errors.js";
import { advance, gatherRows, selectLowest, type ScoreTable } from "../../kernels/index.js";
import {
  createTensor,
  readTensor,
  record,
  replay,
  writeTensor,
  type Recorder,
  type Recording,
  type ReplayOptions,
  type Tensor,
} from "../../tensor/index.js";
import type { BlendAt } from "../candidates/blend-at.js";
import type { CandidateView, Choice } from "../candidates/candidates.js";
import type { Acquisition, AcquisitionContext } from "./acquisition.js";

interface Selected {
  readonly places: Tensor<"u32">;
  readonly scores: Tensor<"f32">;
  readonly lambdas: Tensor<"u32">;
}

/** How candidates are scored: the lower the score, the more a candidate is wanted. */
export interface ScoringRule {
  /** How networks see the candidates; refreshed before each pass over them, and disposed of with the acquisition. */
  readonly views: readonly CandidateView[];
  /** Whether scores are the student's confidence. */
  readonly isConfidence: boolean;
  /** Records the scores, the lowest over λ, of the candidates that the table's counter stands at. */
  record(recorder: Recorder, table: ScoreTable): void;
  /** To be called before the pass of each round, with its number, where rounds differ. */
  begin?(round: number): void;
  /** Frees what the rule holds but for its views. */
  dispose?(): void;
}

/**
 * Chooses the candidates of lowest score, by some rule. Making the images, scoring and selection run on the device; what
 * comes back is k places, with their scores and the indices of their λ.
 */
export class LowestScoreAcquisition implements Acquisition {
  private readonly selections = new Map<number, Recording<Selected>>();

  private constructor(
    private readonly context: AcquisitionContext,
    private readonly rule: ScoringRule,
    private readonly tensors: ScoringTensors,
    /** Scores one batch of candidates. */
    readonly scoring: Recording<unknown>,
  ) {}

  static async create(context: AcquisitionContext, rule: ScoringRule): Promise<LowestScoreAcquisition> {
    const { candidates, student } = context;
    const { device } = student;
    const { size, lambdas, single } = candidates;
    const tensors: ScoringTensors = {
      taken: createTensor(device, [size], { dtype: "u32", name: "taken" }),
      scores: createTensor(device, [size], { name: "scores" }),
      choices: createTensor(device, [size], { dtype: "u32", name: "choices" }),
      position: createTensor(device, [1], { dtype: "u32", name: "position" }),
    };
    const scoring = await record(device, (recorder) => {
      const { taken, scores, choices, position } = tensors;
      rule.record(recorder, { counter: position, taken, scores, choices, lambdas, single });
      advance(recorder, position);
    });
    return new LowestScoreAcquisition(context, rule, tensors, scoring);
  }

  get blendAt(): BlendAt | undefined {
    return this.rule.views[0].blendAt;
  }

  async select(count: number, round: number, options: ReplayOptions): Promise<Choice[]> {
    const { candidates } = this.context;
    const { size, batch } = candidates;
    writeTensor(this.tensors.taken, candidates.taken);
    writeTensor(this.tensors.position, [0]);
    this.rule.begin?.(round);
    for (const view of this.rule.views) await view.refresh(options);
    await replay(this.scoring, Math.ceil(size / batch), {
      ...options,
      onProgress: (batches) => options.onProgress?.(Math.min(size, batches * batch)),
    });
    const selection = await this.selection(count);
    selection.run();
    const [places, scores, lambdas] = await Promise.all([
      readTensor(selection.result.places),
      readTensor(selection.result.scores),
      readTensor(selection.result.lambdas),
    ]);
    const useless = scores.find((score) => !Number.isFinite(score));
    // The run looks at confidences itself.
    if (useless !== undefined && !this.rule.isConfidence) {
      throw new InputError(
        `the student diverged in round ${round - 1}: its score of a candidate is ${useless}; lower --rate`,
      );
    }
    const order = Array.from(places.keys()).sort((a, b) => scores[a] - scores[b] || places[a] - places[b]);
    return order.map((index) => ({
      ...candidates.choice(places[index], lambdas[index]),
      ...(this.rule.isConfidence ? { confidence: scores[index] } : {}),
    }));
  }

  dispose(): void {
    this.scoring.dispose();
    for (const view of this.rule.views) view.dispose();
    this.rule.dispose?.();
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
          places: recorder.keep(indices),
          scores: recorder.keep(gatherRows(recorder, scores, indices)),
          lambdas: recorder.keep(gatherRows(recorder, choices, indices)),
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
}
