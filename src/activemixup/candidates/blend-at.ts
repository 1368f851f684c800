import type { Network } from "../../nn/index.js";
import { sizeOf, type Capabilities } from "../../tensor/index.js";

/**
 * Where two images are blended when candidates are scored. `pixels`: in 8 bits, as a teacher would see the blend.
 * `features`: after the linear part of the student's first convolution, which is then computed once an image, not once a
 * blend; the same but for the rounding of blends to 8 bits.
 */
export type BlendAt = "pixels" | "features";

/** How much there is to do in one pass over the pool. */
export interface ScoringWork {
  /** n, the number of images. */
  readonly images: number;
  /** Pairs of them that are scored in a pass. */
  readonly pairs: number;
  /** Blends of each pair. */
  readonly perPair: number;
  /** Multiply-adds of the student for one image. */
  readonly multiplyAdds: number;
  /** Of the first layer's linear part for one image; absent where the student does not begin with one. */
  readonly start?: {
    readonly multiplyAdds: number;
    /** Numbers that it gives. */
    readonly features: number;
  };
}

/** The work of scoring `perPair` blends of each of `pairs` pairs of `images` images. */
export function scoringWork(
  { inputShape, multiplyAdds, linearStart }: Pick<Network, "inputShape" | "multiplyAdds" | "linearStart">,
  images: number,
  pairs: number,
  perPair: number,
): ScoringWork {
  const start = linearStart && {
    multiplyAdds: linearStart.multiplyAdds(inputShape),
    features: sizeOf(linearStart.outputShape(inputShape)),
  };
  return { images, pairs, perPair, multiplyAdds, ...(start ? { start } : {}) };
}

/**
 * Share of a pass's multiply-adds from which it pays to leave them out. On lavapipe (2 cores, 2026-11), at 11 λ: with
 * 25% (LeNet-5-half) 1.9 times the blends a second, with 17% (LeNet-5) 1.6, with 9% (AlexNet-half) 1.1.
 */
const WORTH_IT = 1 / 8;

/**
 * Features where they fit the device and save enough; pixels otherwise, and where each pair is blended but once: features
 * are then read for one blend alone, and it depends on the driver whether that pays. Nothing else decides, so that runs
 * repeat.
 */
export function chooseBlendAt(work: ScoringWork, { bindingBytes }: Capabilities): BlendAt {
  const { images, pairs, perPair, multiplyAdds, start } = work;
  if (!start || perPair === 1 || 4 * images * start.features > bindingBytes) return "pixels";
  const blends = pairs * perPair;
  const saved = (start.multiplyAdds * (blends - images)) / (multiplyAdds * blends);
  return saved >= WORTH_IT ? "features" : "pixels";
}
