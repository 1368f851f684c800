import { Philox, RandomStream } from "../../tensor/index.js";
import type { Acquisition, AcquisitionContext, Choice } from "./acquisition.js";

/** Mixup without selection: pairs and λ drawn uniformly. The control of the paper's ablation. */
export class RandomAcquisition implements Acquisition {
  constructor(private readonly context: AcquisitionContext) {}

  select(count: number, round: number): Promise<Choice[]> {
    const { pool, lambdas, seed } = this.context;
    const random = new Philox(seed, RandomStream.acquisition, round);
    const left = Uint32Array.from(pool.taken.keys()).filter((candidate) => pool.taken[candidate] === 0);
    const chosen = random.sample(count, left.length).map((index) => left[index]);
    return Promise.resolve(
      Array.from(chosen, (candidate) => ({
        candidate,
        ...pool.pairOf(candidate),
        lambda: lambdas[random.below(lambdas.length)],
      })),
    );
  }

  dispose(): void {
    // Holds nothing.
  }
}
