import { PairCandidates, paperLambdas, type BlendAt } from "../../src/activemixup/index.js";
import { LowestScoreAcquisition, ScoreRule } from "../../src/activemixup/acquisition/index.js";
import { embeddingShape, pickSeed, selectLowest } from "../../src/kernels/index.js";
import { Network } from "../../src/nn/index.js";
import { drawn, filled, kernelCase, randomImages, recorded, traffic, type Case } from "./case.js";
import { flopsOf, lenet5, lenet5Half, specOf, type Workload } from "./networks.js";

/** What the pairs are of; their pixels lie on the device alone. */
const REAL_IMAGES = { count: 2000, channels: 1, height: 28, width: 28, pixels: new Uint8Array() };

/**
 * The scoring pass of `distill`: blends of 93 pairs at 11 λ each, forward, smallest confidence over λ; as it runs by
 * itself, or with blends of 8-bit pixels.
 */
function scoring(workload: Workload, blendAt?: BlendAt): Case {
  const blends = 93 * paperLambdas.length;
  return {
    name: `scoring by ${workload.architecture}, ${paperLambdas.length} λ${blendAt ? `, ${blendAt}` : ""}`,
    work: { unit: "blends/s", amount: blends, bound: "multiply-add", cost: flopsOf(workload, blends).forward },
    async record(device) {
      const student = new Network(device, specOf(workload), 1);
      const images = randomImages(device, [2000, 1, 28, 28]);
      const options = { lambdas: paperLambdas, pool: 100_000, seed: 1, single: false, blendAt };
      const candidates = new PairCandidates(REAL_IMAGES, images, options);
      const context = { candidates, student, seed: 1 };
      const acquisition = await LowestScoreAcquisition.create(context, await ScoreRule.create(context, "confidence"));
      return {
        recording: acquisition.scoring,
        dispose() {
          acquisition.dispose();
          images.dispose();
          student.dispose();
        },
      };
    },
  };
}

/** The indices of the 10,000 lowest of so many scores: each has to be read once at least. */
function selection(millions: number): Case {
  const count = millions * 1e6;
  return kernelCase(
    `lowest 10,000 of ${millions},000,000`,
    { unit: "M scores/s", amount: count, bound: "copy", cost: 4 * count },
    [[count]],
    (recorder, [scores]) => selectLowest(recorder, scores, 10_000),
  );
}

/**
 * One of the picks by which `badge` chooses. They go on past the last, and cost as much there: a run finds `chosen` full
 * and changes nothing.
 */
function pick(): Case {
  const sizes = { candidates: 20_000, classes: 10, features: 84 };
  const [rows, columns] = embeddingShape(sizes);
  return {
    name: "badge, a pick of 20,000",
    work: traffic(4 * columns * (rows + 2)),
    record(device) {
      const embeddings = filled(device, [rows, columns]);
      const tensors = {
        round: drawn(device, 1, () => 0),
        counter: drawn(device, 1, () => 0),
        chosen: drawn(device, 1000, () => 0),
        nearest: filled(device, [columns]),
        centre: filled(device, [rows]),
      };
      return recorded(device, [embeddings, ...Object.values(tensors)], (recorder) => {
        pickSeed(recorder, embeddings, { ...sizes, ...tensors, seed: 1 });
      });
    },
  };
}

export const acquisitionCases: readonly Case[] = [
  scoring(lenet5),
  scoring(lenet5, "pixels"),
  scoring(lenet5Half),
  scoring(lenet5Half, "pixels"),
  selection(2),
  selection(10),
  pick(),
];
