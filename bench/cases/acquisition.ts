import { lambdaWeight, paperLambdas } from "../../src/activemixup/index.js";
import { advance, blendImages, candidateBlends, scorePairs, selectLowest } from "../../src/kernels/index.js";
import { Network } from "../../src/nn/index.js";
import { createTensor } from "../../src/tensor/index.js";
import { kernelCase, random, randomImages, recorded, type Case } from "./case.js";
import { flopsOf, lenet5, lenet5Half, specOf, type Workload } from "./networks.js";

/** The scoring pass of `distill`: blends of 93 pairs at 11 λ each, forward, smallest confidence over λ. */
function scoring(workload: Workload): Case {
  const batch = 93;
  const blends = batch * paperLambdas.length;
  const [pool, count] = [100_000, 2000];
  return {
    name: `scoring with ${workload.architecture}, ${paperLambdas.length} λ a pair`,
    work: { unit: "blends/s", amount: blends, bound: "multiply-add", cost: flopsOf(workload, blends).forward },
    record: (device) => {
      const network = new Network(device, specOf(workload), 1);
      const { mean, deviation } = network.spec;
      const images = randomImages(device, [count, 1, 28, 28]);
      const u32 = (size: number, data?: ArrayLike<number>) => createTensor(device, [size], { dtype: "u32", data });
      const [counter, taken, choices] = [u32(1), u32(pool), u32(pool)];
      const pairs = u32(pool, random.sample(pool, (count * (count - 1)) / 2));
      const lambdas = u32(paperLambdas.length, paperLambdas.map(lambdaWeight));
      const scores = createTensor(device, [pool]);
      const tensors = [images, counter, taken, choices, pairs, lambdas, scores];
      return recorded(device, [...tensors, network], (recorder) => {
        const blend = candidateBlends(recorder, { images: count, pool, pairs, lambdas, counter, batch });
        const input = blendImages(recorder, images, blend, { mean, std: deviation });
        const { output } = network.forward({ recorder, training: false, seed: 0 }, input);
        scorePairs(recorder, output, { counter, taken, scores, choices, lambdas: paperLambdas.length });
        advance(recorder, counter);
      });
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

export const acquisitionCases: readonly Case[] = [scoring(lenet5), scoring(lenet5Half), selection(2), selection(10)];
