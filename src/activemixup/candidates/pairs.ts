import { bytesPerImage, type ImageSet } from "../../data/index.js";
import { candidateBlends, gatherRows } from "../../kernels/index.js";
import type { Network } from "../../nn/index.js";
import { createTensor, type Recorder, type ReplayOptions, type Tensor } from "../../tensor/index.js";
import { blendOnHost, lambdaWeight } from "../blend.js";
import { chooseBlendAt, scoringWork, type BlendAt } from "./blend-at.js";
import { FeatureBlends, PixelBlends, type BlendPass } from "./blend-pass.js";
import type { Candidates, CandidateView, Choice, Heads, ViewOptions } from "./candidates.js";
import { Pool } from "./pool.js";

/** Images in one recorded batch. */
const BATCH = 1024;

/** Real images on the host. */
export type Pixels = Pick<ImageSet, "count" | "channels" | "height" | "width" | "pixels">;

/** Which pairs there are, and at which λ and where they are blended. */
export interface PairOptions {
  /** λ grid. */
  readonly lambdas: readonly number[];
  /** Most pairs: a seeded sample of them; all pairs where absent. */
  readonly pool?: number | undefined;
  readonly seed: number;
  /** One λ a pair, drawn by the seed, instead of the whole grid. */
  readonly single: boolean;
  /** Where pairs are blended; chosen by how much there is to do where absent. */
  readonly blendAt?: BlendAt | undefined;
}

/** The paper's candidates: pairs of real images, blended at each λ of a grid; each pair is chosen at most once. */
export class PairCandidates implements Candidates {
  readonly areBlends = true;
  readonly size: number;
  readonly lambdas: number;
  readonly single: { readonly seed: number } | undefined;
  readonly batch: number;
  private readonly pool: Pool;

  /**
   * @param images the real images
   * @param tensor the same on the device, u8 [n, C, H, W]
   * @throws InputError where there are no pairs, or the pool's size is no number from 1 up
   */
  constructor(
    private readonly images: Pixels,
    private readonly tensor: Tensor<"u8">,
    private readonly options: PairOptions,
  ) {
    this.pool = new Pool(images.count, options.pool, options.seed);
    this.size = this.pool.size;
    this.lambdas = options.lambdas.length;
    this.single = options.single ? { seed: options.seed } : undefined;
    this.batch = Math.min(this.size, Math.max(1, Math.floor(BATCH / this.perPair)));
  }

  private get perPair(): number {
    return this.single ? 1 : this.lambdas;
  }

  get taken(): Uint32Array {
    return this.pool.taken;
  }

  get left(): number {
    return this.pool.left;
  }

  begin(): void {
    // The pool is the same in all rounds, but for the pairs that were chosen.
  }

  async view(network: Network): Promise<CandidateView> {
    const { images, perPair, size } = this;
    const work = scoringWork(network, images.count, size, perPair);
    const blendAt = this.options.blendAt ?? chooseBlendAt(work, network.device.capabilities);
    const pass =
      blendAt === "features"
        ? await FeatureBlends.create(network, this.tensor, perPair)
        : new PixelBlends(network, this.tensor);
    return new PairView(this.pool, this.options, this.batch, blendAt, pass, network);
  }

  choice(place: number, lambda: number): Choice {
    return { candidate: place, ...this.pool.pairOf(place), lambda: this.options.lambdas[lambda] };
  }

  take(candidate: number): void {
    this.pool.take(candidate);
  }

  pixels(choices: readonly Choice[]): Uint8Array {
    return blendOnHost(this.images.pixels, bytesPerImage(this.images), choices);
  }

  dispose(): void {
    // Holds nothing on the device of its own.
  }
}

class PairView implements CandidateView {
  private readonly lambdas: Tensor<"u32">;
  private readonly pairs: Tensor<"u32"> | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly options: PairOptions,
    private readonly batch: number,
    readonly blendAt: BlendAt,
    private readonly pass: BlendPass,
    { device }: Network,
  ) {
    const weights = options.lambdas.map(lambdaWeight);
    this.lambdas = createTensor(device, [weights.length], { dtype: "u32", data: weights, name: "lambdas" });
    const { pairs } = pool;
    this.pairs = pairs && createTensor(device, [pairs.length], { dtype: "u32", data: pairs, name: "pairs" });
  }

  refresh(options: ReplayOptions): Promise<void> {
    return this.pass.refresh(options);
  }

  record(recorder: Recorder, counter: Tensor<"u32">, { sample, dropout }: ViewOptions = {}): Heads {
    const { images, size } = this.pool;
    const { single, seed } = this.options;
    const { lambdas, batch } = this;
    const sampled = sample && this.pairs ? gatherRows(recorder, this.pairs, sample) : sample;
    const places = { pool: sample?.size ?? size, pairs: sampled ?? this.pairs };
    const of = { images, ...places, lambdas, counter, batch, ...(single ? { single: { seed } } : {}) };
    return this.pass.record(recorder, candidateBlends(recorder, of), dropout);
  }

  dispose(): void {
    this.pass.dispose();
    this.lambdas.dispose();
    this.pairs?.dispose();
  }
}
