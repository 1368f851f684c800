import { advance, gatherRows, scorePairs, selectLowest } from "../../kernels/index.js";
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
import type { BlendAt } from "../candidates/blend-at.js";
import type { CandidateView, Choice } from "../candidates/candidates.js";
import type { Acquisition, AcquisitionContext } from "./acquisition.js";

interface Selected {
  readonly places: Tensor<"u32">;
  readonly scores: Tensor<"f32">;
  readonly lambdas: Tensor<"u32">;
}

/**
 * The paper's rule. Each candidate's score is the student's confidence in it, the smallest over its λ; those of lowest
 * score are chosen. Making the images, scoring and selection run on the device; what comes back is the chosen places
 * alone.
 */
export class ConfidenceAcquisition implements Acquisition {
  private readonly selections = new Map<number, Recording<Selected>>();

  private constructor(
    private readonly context: AcquisitionContext,
    private readonly view: CandidateView,
    private readonly tensors: ScoringTensors,
    /** Scores one batch of candidates. */
    readonly scoring: Recording<unknown>,
  ) {}

  static async create(context: AcquisitionContext): Promise<ConfidenceAcquisition> {
    const { candidates, student } = context;
    const { device } = student;
    const { size, lambdas, single } = candidates;
    const view = await candidates.view(student);
    const tensors: ScoringTensors = {
      taken: createTensor(device, [size], { dtype: "u32", name: "taken" }),
      scores: createTensor(device, [size], { name: "scores" }),
      choices: createTensor(device, [size], { dtype: "u32", name: "choices" }),
      position: createTensor(device, [1], { dtype: "u32", name: "position" }),
    };
    const scoring = await record(device, (recorder) => {
      const { taken, scores, choices, position } = tensors;
      const { logits } = view.record(recorder, position);
      scorePairs(recorder, logits, { counter: position, taken, scores, choices, lambdas, single });
      advance(recorder, position);
    });
    return new ConfidenceAcquisition(context, view, tensors, scoring);
  }

  get blendAt(): BlendAt | undefined {
    return this.view.blendAt;
  }

  async select(count: number, _round: number, options: ReplayOptions): Promise<Choice[]> {
    const { candidates } = this.context;
    const { size, batch } = candidates;
    writeTensor(this.tensors.taken, candidates.taken);
    writeTensor(this.tensors.position, [0]);
    await this.view.refresh(options);
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
    return Array.from(places, (place, index) => ({
      ...candidates.choice(place, lambdas[index]),
      confidence: scores[index],
    })).sort((a, b) => a.confidence - b.confidence || a.candidate - b.candidate);
  }

  dispose(): void {
    this.scoring.dispose();
    this.view.dispose();
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
