import { describe, expect, it } from "vitest";
import { PairCandidates, specFor, strategies, type Choice } from "../../src/activemixup/index.js";
import { passSeed, BALD_PASSES } from "../../src/activemixup/acquisition/bald.js";
import { drawDigits, type ImageSet } from "../../src/data/index.js";
import { blendImages, drawGumbel } from "../../src/kernels/index.js";
import { Network, type Pass } from "../../src/nn/index.js";
import { createTensor, readTensor, record, type Device, type Tensor } from "../../src/tensor/index.js";
import { useDevices } from "../devices.js";
import { CLASSES } from "./brightness-teacher.js";

const devices = useDevices();

const LAMBDAS = [0.3, 0.5, 0.7];
const SEED = 4;
const ROUND = 2;

const entropyOf = (p: readonly number[]) => -p.reduce((sum, q) => sum + (q > 0 ? q * Math.log(q) : 0), 0);

function softmaxOf(row: readonly number[]): number[] {
  const powers = row.map((logit) => Math.exp(logit));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

/** −(mutual information of label and member), by its definition. */
function agreement(members: readonly (readonly number[])[]): number {
  const mean = members[0].map((_, k) => members.reduce((sum, p) => sum + p[k], 0) / members.length);
  return members.reduce((sum, p) => sum + entropyOf(p), 0) / members.length - entropyOf(mean);
}

/** What each strategy makes of what its members say of one image: the lower, the more wanted. */
const definitions: Record<string, (members: readonly (readonly number[])[]) => number> = {
  confidence: ([p]) => Math.max(...p),
  "noisy-confidence": ([p]) => Math.max(...p),
  margin: ([p]) => {
    const [first, second] = p.toSorted((a, b) => b - a);
    return first - second;
  },
  entropy: ([p]) => -entropyOf(p),
  bald: agreement,
  committee: agreement,
};

type Options = Omit<Pass, "recorder" | "step"> & { readonly step?: number };

/** Probabilities that a network gives each candidate at each λ, [candidates · λ][classes]. */
async function look(network: Network, real: Tensor<"u8">, all: readonly Choice[], pass: Options): Promise<number[][]> {
  const { device, spec } = network;
  const words = (data: number[]) => createTensor(device, [data.length], { dtype: "u32", data });
  const blend = {
    first: words(all.map(({ first }) => first)),
    second: words(all.map(({ second }) => second)),
    weight: words(all.map(({ lambda }) => Math.round(lambda * 65536))),
  };
  const step = words([pass.step ?? 0]);
  const recording = await record(device, (recorder) => {
    const input = blendImages(recorder, real, blend, { mean: spec.mean, std: spec.deviation });
    return recorder.keep(network.forward({ recorder, ...pass, step }, input).output);
  });
  recording.run();
  const logits = Array.from(await readTensor(recording.result));
  recording.dispose();
  for (const tensor of [...Object.values(blend), step]) tensor.dispose();
  return all.map((_, row) => softmaxOf(logits.slice(row * CLASSES, (row + 1) * CLASSES)));
}

/** What the strategy chooses in round 2, and what its definition does. */
async function choose(device: Device, strategy: string, architecture: string, images: ImageSet, count: number) {
  const shape = [images.count, images.channels, images.height, images.width];
  const real = createTensor(device, shape, { dtype: "u8", data: images.pixels });
  const options = { lambdas: LAMBDAS, seed: SEED, single: false, blendAt: "pixels" as const };
  const candidates = new PairCandidates(images, real, options);
  const networks = [1, 2, 3].map((seed) => new Network(device, specFor(architecture, images, CLASSES), seed));
  const [student, ...others] = networks;
  const acquisition = await strategies[strategy].create!({ candidates, student, others, seed: SEED });
  candidates.take(3);
  const chosen = await acquisition.select(count, ROUND, {});

  const all = Array.from({ length: candidates.size }, (_, place) => LAMBDAS.map((_, l) => candidates.choice(place, l)));
  const passes: [Network, Options][] =
    strategy === "bald"
      ? Array.from({ length: BALD_PASSES }, (_, pass) => [
          student,
          { training: false, dropout: true, seed: passSeed(SEED, pass), step: ROUND - 1 },
        ])
      : networks.map((network) => [network, { training: false, seed: 0 }]);
  const said: number[][][] = [];
  for (const [network, pass] of passes) said.push(await look(network, real, all.flat(), pass));
  const scored = all.flatMap((choices, place) => {
    if (place === 3) return [];
    const scores = choices.map((_, l) => definitions[strategy](said.map((rows) => rows[place * LAMBDAS.length + l])));
    const lambda = scores.indexOf(Math.min(...scores));
    const doubt = () => Math.log(1 - scores[lambda]) + drawGumbel(place, ROUND, SEED);
    return { score: strategy === "noisy-confidence" ? -doubt() : scores[lambda], choice: choices[lambda] };
  });
  const expected = scored.sort((a, b) => a.score - b.score).slice(0, count);

  acquisition.dispose();
  candidates.dispose();
  for (const network of networks) network.dispose();
  real.dispose();
  return { chosen, expected };
}

const digits = { ...drawDigits(12, 1, { size: 12 }), labels: undefined };
const blend = ({ candidate, first, second, lambda }: Choice) => ({ candidate, first, second, lambda });

describe("the choice is that of the definition, computed on the host, by", () => {
  it.each(["confidence", "noisy-confidence", "margin", "entropy", "committee"])("%s", async (strategy) => {
    for (const device of [devices.cpu, devices.gpu]) {
      const { chosen, expected } = await choose(device, strategy, "lenet5-half", digits, 9);
      expect(chosen.map(blend)).toEqual(expected.map(({ choice }) => blend(choice)));
      const confidence = expected.map(({ score }) =>
        strategy === "confidence" ? expect.closeTo(score, 5) : undefined,
      );
      expect(chosen.map((choice) => choice.confidence)).toEqual(confidence);
    }
  });

  it("bald, of a student with dropout", async () => {
    const images = { ...drawDigits(5, 1, { size: 16 }), labels: undefined };
    const { chosen, expected } = await choose(devices.gpu, "bald", "alexnet-half", images, 4);
    expect(chosen.map(blend)).toEqual(expected.map(({ choice }) => blend(choice)));
  });
});
