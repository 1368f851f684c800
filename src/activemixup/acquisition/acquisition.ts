import type { Network } from "../../nn/index.js";
import type { ReplayOptions, Tensor } from "../../tensor/index.js";
import type { MixedPair } from "../blend.js";
import type { Pool } from "../pool.js";
import type { BlendAt } from "./blend-at.js";

/** A candidate that an acquisition chose. */
export interface Choice extends MixedPair {
  readonly candidate: number;
  /** The student's confidence in the blend, where the acquisition computed it. */
  readonly confidence?: number;
}

/** What an acquisition may look at. */
export interface AcquisitionContext {
  readonly pool: Pool;
  /** λ grid. */
  readonly lambdas: readonly number[];
  readonly student: Network;
  /** The real images on the student's device, u8 [n, C, H, W]. */
  readonly images: Tensor<"u8">;
  readonly seed: number;
  /** Where candidates are blended to be scored; chosen by how much there is to do where absent. */
  readonly blendAt?: BlendAt | undefined;
}

/** Chooses which blends to ask the teacher about (steps 3 and 4). */
export interface Acquisition {
  /** Where candidates are blended to be scored, by an acquisition that scores them. */
  readonly blendAt?: BlendAt;
  /**
   * Chooses `count` candidates that were not taken, each once; the caller takes them out of the pool.
   * @param count at most the pool's `left`
   * @param round from 1
   */
  select(count: number, round: number, options: ReplayOptions): Promise<Choice[]>;
  dispose(): void;
}
