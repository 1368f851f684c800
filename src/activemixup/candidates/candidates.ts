import type { FeatureActivation, Network, Pass } from "../../nn/index.js";
import type { Recorder, ReplayOptions, Tensor } from "../../tensor/index.js";
import type { MixedPair } from "../blend.js";
import type { BlendAt } from "./blend-at.js";
import type { Box, CompositionKind } from "./composition.js";

/** A candidate that was chosen. */
export interface Choice extends MixedPair {
  /** Of warped images; absent for a plain blend of real ones. */
  readonly kind?: CompositionKind;
  /** Where the second image is seen, of a cutmix. */
  readonly box?: Box;
  /** Tells it apart from all other candidates of the run. */
  readonly candidate: number;
  /** The student's confidence in the image, where the acquisition computed it. */
  readonly confidence?: number;
}

/** An image that is to be asked about, or was: one that was chosen among candidates, or a real image. */
export type Chosen = MixedPair & Partial<Choice>;

/** Whether an image was chosen among candidates. */
export function isChoice<T extends Chosen>(image: T): image is T & Choice {
  return image.candidate !== undefined;
}

/**
 * What an acquisition chooses from (step 2 of the paper): candidates, each an image, or one image for each λ of a grid.
 * In a round they have places from 0 on; images are made when they are looked at, and never stored.
 */
export interface Candidates {
  /** Whether each is a plain blend of real images, which training can make anew from them at each step. */
  readonly areBlends: boolean;
  /** Places in a round. */
  readonly size: number;
  /** L, λ at which {@link choice} can have a candidate; 1 where a candidate is one image. */
  readonly lambdas: number;
  /** Each candidate is looked at with one λ of the L alone, drawn from this seed (`drawLambda` of its place). */
  readonly single?: { readonly seed: number } | undefined;
  /** P, candidates in one batch of a {@link CandidateView}. */
  readonly batch: number;
  /** By place: 1 where a candidate was chosen before, else 0. */
  readonly taken: Uint32Array;
  /** Places that are not taken. */
  readonly left: number;
  /** From here on the places are those of `round`, from 1. */
  begin(round: number): void;
  /** How a network of the real images' shape sees the candidates; made once, for all rounds. */
  view(network: Network): Promise<CandidateView>;
  /**
   * The candidate at a place of the round.
   * @param lambda index of a λ, below `lambdas`
   */
  choice(place: number, lambda: number): Choice;
  /** Takes a candidate out, by the number that its {@link Choice} has. */
  take(candidate: number): void;
  /** The 8-bit pixels of choices of any round, one after the other: what a teacher is shown. */
  pixels(choices: readonly Choice[]): Uint8Array;
  dispose(): void;
}

/** What a network says of candidates. */
export interface Heads {
  /** [rows, classes]. */
  readonly logits: Tensor<"f32">;
  /** What its last layer is given, [rows, F]. */
  readonly features: Tensor<"f32">;
}

/** The heads of a forward pass. */
export function headsOf({ output, features }: FeatureActivation): Heads {
  return { logits: output, features };
}

/** Dropout in a pass of evaluation: which values fall follows from both. */
export type DropoutDraw = Required<Pick<Pass, "seed" | "step">>;

/** How to record a pass of evaluation: without dropout, or with. */
export function evaluationPass(recorder: Recorder, dropout?: DropoutDraw): Pass {
  return { recorder, training: false, ...(dropout ? { ...dropout, dropout: true } : { seed: 0 }) };
}

/** Which candidates a view goes through, and with what dropout. */
export interface ViewOptions {
  /**
   * Places to go through in place of all, u32 [m]: those at counter · P … of `sample`. Where `single`, λ is then drawn
   * for the place in the sample.
   */
  readonly sample?: Tensor<"u32"> | undefined;
  readonly dropout?: DropoutDraw | undefined;
}

/** How one network sees the candidates of a round, batch by batch. */
export interface CandidateView {
  /** Where candidates are blended, where they are blends of pairs. */
  readonly blendAt?: BlendAt;
  /** To be called before each pass over the places, with the weights that the network has by then. */
  refresh(options: ReplayOptions): Promise<void>;
  /**
   * Records what the network says, in evaluation mode, of the candidates at places counter · P … counter · P + P − 1, the
   * last place again where there are no more: P·L rows, all λ of a candidate next to each other, or P where `single`.
   * @param counter u32 [1]
   */
  record(recorder: Recorder, counter: Tensor<"u32">, options?: ViewOptions): Heads;
  dispose(): void;
}
