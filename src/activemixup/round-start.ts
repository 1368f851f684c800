import type { Network, NetworkState } from "../nn/index.js";
import type { DistillOptions } from "./options.js";

/**
 * Where a network begins a round after the first: where the last one ended, where the first one began, or between these
 * (Ash, Adams, "On warm-starting neural network training", NeurIPS 2020, who draw other first weights for it).
 */
export class RoundStart {
  private constructor(
    private readonly network: Network,
    /** Absent where rounds go on from the last. */
    private readonly first: NetworkState | undefined,
    /** How far it is from the first weights to the last round's. */
    private readonly share: number,
  ) {}

  /** Remembers the network's weights, where rounds go back to them. */
  static async of(network: Network, options: Pick<DistillOptions, "restart" | "shrink">): Promise<RoundStart> {
    const share = options.restart ? 0 : (options.shrink ?? 1);
    return new RoundStart(network, share < 1 ? await network.state() : undefined, share);
  }

  /**
   * Gives the network the weights that it begins a round with.
   * @throws InputError where it has weights by now that are not finite, and a share of them is to be taken
   */
  async begin(round: number): Promise<void> {
    const { network, first, share } = this;
    if (!first || round === 0) return;
    network.load(share > 0 ? between(first, await network.state(), share) : first, "the first weights");
  }
}

/** (1 − `share`) · `from` + `share` · `to`, of all that a network holds. */
function between(from: NetworkState, to: NetworkState, share: number): NetworkState {
  return new Map(
    [...from].map(([name, { shape, data }]) => {
      const other = to.get(name)!.data;
      return [name, { shape, data: data.map((value, index) => value + share * (other[index] - value)) }];
    }),
  );
}
