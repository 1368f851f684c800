import type { GpuPlan } from "../../tensor/launch.js";
import philox from "../../tensor/philox.wgsl?raw";
import { RandomStream } from "../../tensor/random.js";
import { linearGrid } from "../grid.js";
import nanSource from "../nan.wgsl?raw";
import { embeddingShape, VECTOR, type EmbeddingSizes } from "./contract.js";
import drawSource from "./draw.wgsl?raw";
import embedSource from "./embed.wgsl?raw";
import nearestSource from "./nearest.wgsl?raw";

const WORKGROUP = 64;

/** Invocations that look for the drawn candidate, each over a run of all. */
const RUNS = 256;

/** The bits of an f32 NaN. */
const NAN_BITS = 0x7fc00000;

const vectorsOf = (sizes: EmbeddingSizes): number => embeddingShape(sizes)[1] / VECTOR;

/** Program and grid of embedGradients for a batch of `batch` candidates. */
export function planEmbedGradients(sizes: EmbeddingSizes & { readonly batch: number }): GpuPlan {
  const { batch, candidates, classes, features } = sizes;
  return {
    program: { name: "seeding/embed", source: [embedSource], constants: { WORKGROUP } },
    params: [batch, classes, features, candidates, embeddingShape(sizes)[1], NAN_BITS],
    grid: linearGrid(batch, WORKGROUP),
  };
}

/** Programs and grids of the two launches that a pick of pickSeed is made of. */
export const planPick = {
  nearest: (sizes: EmbeddingSizes): GpuPlan => {
    const { candidates, classes, features } = sizes;
    return {
      program: { name: "seeding/nearest", source: [nanSource, nearestSource], constants: { WORKGROUP } },
      params: [candidates, vectorsOf(sizes), classes, classes + features],
      grid: linearGrid(vectorsOf(sizes), WORKGROUP),
    };
  },
  draw: (sizes: EmbeddingSizes & { readonly picks: number }, seed: number): GpuPlan => {
    const { classes, features, picks } = sizes;
    const vectors = vectorsOf(sizes);
    return {
      program: {
        name: "seeding/draw",
        source: [philox, drawSource],
        constants: { WORKGROUP: RUNS, SEEDING_STREAM: RandomStream.seeding },
      },
      params: [vectors, Math.ceil(vectors / RUNS), classes + features, picks, seed],
      grid: [1, 1, 1],
    };
  },
};
