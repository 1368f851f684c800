import { InputError } from "../../errors.js";
import type { ImageShape } from "../../nn/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { DistillOptions } from "../options.js";
import type { Candidates } from "./candidates.js";
import type { CompositionKind } from "./composition.js";
import { ComposedCandidates } from "./compositions.js";
import { MOST_NEIGHBOURS } from "./neighbours.js";
import { PairCandidates, type Pixels } from "./pairs.js";
import { countPairs } from "./pool.js";

/** What candidates are made of, by name. */
export const candidateKinds = {
  mix: { about: "pairs of real images over the λ grid (the paper)", compositions: undefined },
  warp: { about: "warped real images", compositions: ["warp"] },
  cutmix: { about: "warped images with a part of another cut in", compositions: ["cutmix"] },
  mixture: {
    about: "in thirds, warped images, blends of two, and cutmix of two",
    compositions: ["warp", "mix", "cutmix"],
  },
} as const satisfies Readonly<Record<string, { about: string; compositions: readonly CompositionKind[] | undefined }>>;

/** A name of {@link candidateKinds}. */
export type CandidateKind = keyof typeof candidateKinds;

/** Compositions that are drawn in each round, unless told otherwise. */
const COMPOSITIONS = 60_000;

/** Numbers of candidates fit 31 bits, since each has two images that are warped. */
const MOST_COMPOSITIONS = 2 ** 31;

/** The options that candidates depend on. */
export type CandidateOptions = Pick<
  DistillOptions,
  "candidates" | "candidateWarps" | "pool" | "lambdas" | "seed" | "blendAt"
>;

/** What candidates depend on beside the options. */
export interface CandidateSetting {
  /** Whether pairs are looked at with one random λ each, instead of the grid. */
  readonly single: boolean;
  /** Of each real image those that a second image is drawn from, [n, k]; all the others where absent. */
  readonly neighbours?: Uint32Array | undefined;
}

/**
 * The candidates of a run, of options that {@link checkCandidates} lets pass.
 * @param images the real images
 * @param tensor the same on the device, u8 [n, C, H, W]
 * @throws InputError where candidates of kind `mix` are of fewer than two images, or of more than can be paired, or
 * their `pool` is no whole number from 1 up
 */
export function createCandidates(
  images: Pixels,
  tensor: Tensor<"u8">,
  { candidates, candidateWarps: warps, pool, lambdas, seed, blendAt }: CandidateOptions,
  { single, neighbours }: CandidateSetting,
): Candidates {
  const kinds = candidateKinds[candidates].compositions;
  if (kinds) {
    return new ComposedCandidates(images, tensor, { kinds, warps, neighbours, pool: pool ?? COMPOSITIONS, seed });
  }
  return new PairCandidates(images, tensor, { lambdas, pool, seed, blendAt, single });
}

/**
 * Requires enough candidates for the rounds after the first, and few enough for the device.
 * @param rounds how many are chosen in each, to be asked about or for pseudo-labels
 * @throws InputError that names the option
 */
export function checkCandidates(
  { count, channels, height, width }: ImageShape & { readonly count: number },
  rounds: readonly number[],
  options: Pick<DistillOptions, "candidates" | "pool" | "budget" | "pseudoLabels">,
  bindingBytes: number,
): void {
  const { candidates, pool, budget, pseudoLabels } = options;
  checkKind(candidates);
  const wanted = rounds.reduce((sum, asked) => sum + asked, 0);
  const most = Math.floor(bindingBytes / 4);
  const kinds: readonly CompositionKind[] | undefined = candidateKinds[candidates].compositions;
  if (!kinds) {
    const pairs = Math.min(pool ?? Infinity, countPairs(count));
    if (wanted > pairs && pseudoLabels !== undefined) {
      throw new InputError(
        `--budget and --pseudo-labels take ${wanted} blends and the pool has ${pairs} pairs, each taken at most once; ` +
          `lower --pseudo-labels or --budget by ${wanted - pairs}, or raise --pool or --n`,
      );
    }
    if (wanted > pairs) {
      throw new InputError(
        `--budget leaves ${wanted} queries for blends and the pool has ${pairs} pairs, each asked about at most once; ` +
          `lower --budget to ${budget - wanted + pairs}, or raise --pool or --n`,
      );
    }
    if (pairs > most) {
      throw new InputError(
        `the pool has ${pairs} pairs; this device scores at most ${most}: give --pool ${most} or less`,
      );
    }
    return;
  }
  if (count < 2 && areOfTwo(candidates)) {
    throw new InputError(`--candidates ${candidates} needs two images, and --n leaves 1; raise --n`);
  }
  const size = pool ?? COMPOSITIONS;
  const largest = Math.max(...rounds);
  if (largest > size) {
    throw new InputError(
      `a round takes ${largest} images and --pool gives it ${size} candidates; raise --pool, ` +
        (largest === pseudoLabels ? "or lower --pseudo-labels" : "or make more rounds"),
    );
  }
  if (2 * size > most || size * rounds.length > MOST_COMPOSITIONS) {
    throw new InputError(
      `--pool is ${size} in each of ${rounds.length} rounds; expected at most ${Math.min(Math.floor(most / 2), Math.floor(MOST_COMPOSITIONS / rounds.length))} on this device`,
    );
  }
  const bytes = (count + wanted) * channels * height * width;
  if (bytes > bindingBytes) {
    throw new InputError(
      `--candidates ${candidates} keeps the ${count + wanted} images on the device, ${bytes} bytes, and it takes ${bindingBytes}; ` +
        `lower --budget${pseudoLabels === undefined ? "" : " or --pseudo-labels"}, or give --candidates mix, which keeps none`,
    );
  }
}

/**
 * Requires neighbours that there are, of candidates that are made of two images.
 * @param count of the real images that are trained on
 * @throws InputError that names the option
 */
export function checkNeighbours(
  count: number,
  { candidates, neighbours }: Pick<DistillOptions, "candidates" | "neighbours">,
): void {
  // That two images need more than one is said where candidates are checked.
  if (neighbours === undefined || count < 2) return;
  checkKind(candidates);
  if (!areOfTwo(candidates)) {
    throw new InputError(
      `--neighbours is of --candidates cutmix and mixture, and they are ${candidates}: leave it out, or give one of these`,
    );
  }
  const most = Math.min(count - 1, MOST_NEIGHBOURS);
  if (!(Number.isInteger(neighbours) && neighbours >= 1 && neighbours <= most)) {
    throw new InputError(
      `--neighbours is ${neighbours}; expected a whole number from 1 to ${most}, with ${count} real images to train on: ` +
        `lower it${most < MOST_NEIGHBOURS ? ", or raise --n" : ""}`,
    );
  }
}

function checkKind(candidates: CandidateKind): void {
  if (Object.hasOwn(candidateKinds, candidates)) return;
  throw new InputError(
    `no candidates are called "${candidates}"; choose one of ${Object.keys(candidateKinds).join(", ")}`,
  );
}

/** Whether any are made of two warped images. */
function areOfTwo(candidates: CandidateKind): boolean {
  const kinds: readonly CompositionKind[] = candidateKinds[candidates].compositions ?? [];
  return kinds.some((kind) => kind !== "warp");
}
