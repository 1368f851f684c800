import { Philox, RandomStream } from "../../tensor/index.js";
import type { Choice } from "../candidates/candidates.js";
import type { Acquisition, AcquisitionContext } from "./acquisition.js";

/** No selection: candidates and λ drawn uniformly. The control of the paper's ablation. */
export class RandomAcquisition implements Acquisition {
  constructor(private readonly context: AcquisitionContext) {}

  select(count: number, round: number): Promise<Choice[]> {
    const { candidates, seed } = this.context;
    const random = new Philox(seed, RandomStream.acquisition, round);
    const left = Uint32Array.from(candidates.taken.keys()).filter((place) => candidates.taken[place] === 0);
    const chosen = random.sample(count, left.length).map((index) => left[index]);
    return Promise.resolve(Array.from(chosen, (place) => candidates.choice(place, random.below(candidates.lambdas))));
  }

  dispose(): void {
    // Holds nothing.
  }
}
