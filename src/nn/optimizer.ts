import { InputError } from "../errors.js";
import { adam, sgd } from "../kernels/index.js";
import { createTensor, writeTensor, type Recorder, type Tensor } from "../tensor/index.js";
import type { Network } from "./network.js";

/** How parameters follow their gradients; the learning rate comes from a schedule. */
export type OptimizerOptions =
  | { readonly kind: "sgd"; readonly momentum: number; readonly weightDecay: number; readonly nesterov: boolean }
  | {
      readonly kind: "adam";
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
      readonly weightDecay: number;
    };

/** The authors' SGD: momentum 0.9, weight decay 5e-4. */
export const paperSgd: OptimizerOptions = { kind: "sgd", momentum: 0.9, weightDecay: 5e-4, nesterov: false };

/** Adam with its paper's constants (Kingma and Ba, 2015). */
export const plainAdam: OptimizerOptions = { kind: "adam", beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };

/** The optimizer's memory for one network. */
export class Optimizer {
  private readonly moments: Tensor<"f32">[];
  /** Number of the step at which it began, u32 [1]. */
  private readonly start: Tensor<"u32">;

  /** @throws InputError where the kind is none */
  constructor(
    private readonly network: Network,
    private readonly options: OptimizerOptions,
  ) {
    const kind: string = options.kind;
    if (kind !== "sgd" && kind !== "adam") throw new InputError(`optimizer: kind is "${kind}"; expected sgd or adam`);
    const count = kind === "sgd" ? 1 : 2;
    this.start = createTensor(network.device, [1], { dtype: "u32", name: "start of the optimizer" });
    this.moments = Array.from({ length: count }, (_, index) =>
      createTensor(network.device, network.values.shape, { name: `moment ${index + 1}` }),
    );
  }

  /**
   * Records one update of all parameters.
   * @param rates learning rate of each step, [T]
   * @param step number of the step, u32 [1]: picks the rate
   */
  record(recorder: Recorder, rates: Tensor<"f32">, step: Tensor<"u32">): void {
    const { values: parameters, gradients } = this.network;
    const [first, second] = this.moments;
    const { start } = this;
    if (this.options.kind === "sgd") {
      sgd(recorder, { parameters, gradients, velocity: first }, { ...this.options, rates, counter: step });
    } else {
      const moments = { mean: first, variance: second };
      adam(recorder, { parameters, gradients, ...moments }, { ...this.options, rates, counter: step, start });
    }
  }

  /**
   * Forgets the past, for a new start.
   * @param step number of the step that is the first now
   */
  reset(step: number): void {
    writeTensor(this.start, [step]);
    for (const moment of this.moments) writeTensor(moment, new Uint8Array(moment.size));
  }

  dispose(): void {
    for (const tensor of [this.start, ...this.moments]) tensor.dispose();
  }
}
