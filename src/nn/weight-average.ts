import { InputError } from "../errors.js";
import { averageParameters } from "../kernels/index.js";
import { createTensor, readTensor, writeTensor, type Recorder, type Tensor } from "../tensor/index.js";
import type { Network } from "./network.js";

/**
 * The mean of a network's weights over the last steps of a training: stochastic weight averaging (Izmailov et al., UAI
 * 2018, arXiv 1803.05407). Running means of batch norm are averaged likewise, where the paper takes them anew.
 */
export class WeightAverage {
  /** Number of the first step that counts, u32 [1]. */
  private readonly start: Tensor<"u32">;
  /** What is averaged, each with its mean. */
  private readonly averaged: readonly { readonly of: Tensor<"f32">; readonly mean: Tensor<"f32"> }[];

  /**
   * @param share of a training's steps, above 0 and at most 1: so many of the last count, and one at least
   * @throws InputError where the share is none
   */
  constructor(
    { device, values, statistics }: Network,
    private readonly share: number,
  ) {
    if (!(share > 0 && share <= 1)) {
      throw new InputError(`average is ${share}; expected a share of the steps, above 0 and at most 1`);
    }
    this.start = createTensor(device, [1], { dtype: "u32", name: "start of the average" });
    this.averaged = [values, statistics].map((of) => ({
      of,
      mean: createTensor(device, of.shape, { name: "average" }),
    }));
  }

  /**
   * Records that a step counts, if the average has begun by then: behind the optimizer.
   * @param step number of the step, u32 [1]
   */
  record(recorder: Recorder, step: Tensor<"u32">): void {
    const { start } = this;
    for (const { of, mean } of this.averaged) averageParameters(recorder, of, mean, { start, counter: step });
  }

  /** Begins anew, with a training of so many steps, at least 1. */
  begin(steps: number): void {
    writeTensor(this.start, [steps - Math.max(1, Math.round(this.share * steps))]);
  }

  /** Gives the network the mean. */
  async finish(): Promise<void> {
    for (const { of, mean } of this.averaged) writeTensor(of, await readTensor(mean));
  }

  dispose(): void {
    this.start.dispose();
    for (const { mean } of this.averaged) mean.dispose();
  }
}
