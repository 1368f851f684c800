import {
  composeImages,
  composeOnHost,
  drawWarps,
  gatherRows,
  rangeIndices,
  type WarpRanges,
} from "../../kernels/index.js";
import { drawWarpsReference } from "../../kernels/warp/index.js";
import type { Network } from "../../nn/index.js";
import { createTensor, RandomStream, reshape, writeTensor, type Recorder, type Tensor } from "../../tensor/index.js";
import {
  evaluationPass,
  headsOf,
  type Candidates,
  type CandidateView,
  type Choice,
  type ViewOptions,
  type Heads,
} from "./candidates.js";
import {
  drawComposition,
  tabulate,
  type Composition,
  type CompositionKind,
  type CompositionTable,
  type Ingredients,
} from "./composition.js";
import type { Pixels } from "./pairs.js";

/** Images in one recorded batch. */
const BATCH = 256;

/** What candidates of warped images are drawn from. */
export interface CompositionOptions {
  /** Kinds, which take turns. */
  readonly kinds: readonly CompositionKind[];
  /** How the images are warped of which candidates are made. */
  readonly warps: WarpRanges;
  /** Of each real image those that a second image is drawn from, [n, k]; all the others where absent. */
  readonly neighbours?: Uint32Array | undefined;
  /** Candidates a round. */
  readonly pool: number;
  readonly seed: number;
}

/**
 * Images made of warped real ones, drawn anew each round: there is no end of them, so none has to be told from those of
 * earlier rounds. A candidate is a number, from which all else follows; its warps are drawn in whole numbers, so that
 * the pixels that the teacher is shown, made on the host, are those that the student is asked about on the device.
 */
export class ComposedCandidates implements Candidates {
  readonly areBlends = false;
  readonly size: number;
  readonly lambdas = 1;
  readonly single = undefined;
  readonly batch: number;
  readonly taken: Uint32Array;
  private readonly tensors: Readonly<Record<keyof CompositionTable, Tensor<"u32">>>;
  private readonly ingredients: Ingredients;
  private round = 1;
  private tabulated = 0;

  /**
   * @param images the real images
   * @param tensor the same on the device, u8 [n, C, H, W]
   */
  constructor(
    private readonly images: Pixels,
    private readonly tensor: Tensor<"u8">,
    private readonly options: CompositionOptions,
  ) {
    const { kinds, neighbours } = options;
    this.ingredients = { kinds, count: images.count, neighbours };
    this.size = options.pool;
    this.batch = Math.min(BATCH, this.size);
    this.taken = new Uint32Array(this.size);
    const { device } = tensor;
    const words = (name: string, columns?: number) =>
      createTensor(device, columns ? [this.size, columns] : [this.size], { dtype: "u32", name });
    this.tensors = {
      first: words("candidate first"),
      second: words("candidate second"),
      weight: words("candidate weight"),
      box: words("candidate box", 2),
      keys: words("candidate keys", 2),
    };
  }

  get left(): number {
    return this.size;
  }

  begin(round: number): void {
    this.round = round;
  }

  view(network: Network): Promise<CandidateView> {
    return Promise.resolve(new ComposedView(this, network));
  }

  choice(place: number): Choice {
    const candidate = this.numberOf(place);
    return { candidate, ...this.compose(candidate) };
  }

  take(): void {
    // The next round has others.
  }

  pixels(choices: readonly Choice[]): Uint8Array {
    const numbered = choices.map(({ candidate }) => ({ candidate, ...this.compose(candidate) }));
    return compositionPixels(this.images, numbered, this.options);
  }

  dispose(): void {
    for (const tensor of Object.values(this.tensors)) tensor.dispose();
  }

  /** Puts the round's candidates on the device, once a round. */
  tabulate(): void {
    if (this.tabulated === this.round) return;
    const numbers = Array.from({ length: this.size }, (_, place) => this.numberOf(place));
    const table = tabulate(
      numbers.map((candidate) => this.compose(candidate)),
      numbers,
    );
    for (const [name, tensor] of Object.entries(this.tensors))
      writeTensor(tensor, table[name as keyof CompositionTable]);
    this.tabulated = this.round;
  }

  /**
   * Records the images of the candidates at places counter · P …, or at those of `sample`, normalised for `network`,
   * [P, C, H, W].
   */
  record(recorder: Recorder, counter: Tensor<"u32">, { spec }: Network, sample?: Tensor<"u32">): Tensor<"f32"> {
    const range = rangeIndices(recorder, counter, this.batch, sample?.size ?? this.size);
    const places = sample ? gatherRows(recorder, sample, range) : range;
    const rows = (name: keyof CompositionTable) => gatherRows(recorder, this.tensors[name], places);
    const { warps: ranges, seed } = this.options;
    const keys = reshape(rows("keys"), [2 * this.batch]);
    const warps = drawWarps(recorder, 2 * this.batch, { ranges, seed, stream: RandomStream.warp, keys });
    const composition = {
      first: rows("first"),
      second: rows("second"),
      weight: rows("weight"),
      box: rows("box"),
      warps,
    };
    return composeImages(recorder, this.tensor, composition, { mean: spec.mean, std: spec.deviation });
  }

  private numberOf(place: number): number {
    return (this.round - 1) * this.size + place;
  }

  private compose(candidate: number): Composition {
    return drawComposition(candidate, this.ingredients, this.images, this.options.seed);
  }
}

/**
 * The 8-bit pixels of compositions, one after the other.
 * @param images the real images
 * @param compositions each with the number of its candidate, by which its warps are drawn
 */
export function compositionPixels(
  { channels, height, width, pixels }: Pixels,
  compositions: readonly (Composition & { readonly candidate: number })[],
  { warps: ranges, seed }: Pick<CompositionOptions, "warps" | "seed">,
): Uint8Array {
  const table = tabulate(
    compositions,
    compositions.map(({ candidate }) => candidate),
  );
  const warps = drawWarpsReference(table.keys, { ranges, seed, stream: RandomStream.warp, step: 0 });
  return composeOnHost(pixels, [channels, height, width], table, warps);
}

class ComposedView implements CandidateView {
  constructor(
    private readonly candidates: ComposedCandidates,
    private readonly network: Network,
  ) {}

  refresh(): Promise<void> {
    this.candidates.tabulate();
    return Promise.resolve();
  }

  record(recorder: Recorder, counter: Tensor<"u32">, { sample, dropout }: ViewOptions = {}): Heads {
    const images = this.candidates.record(recorder, counter, this.network, sample);
    return headsOf(this.network.forwardWithFeatures(evaluationPass(recorder, dropout), images));
  }

  dispose(): void {
    // Holds nothing of its own.
  }
}
