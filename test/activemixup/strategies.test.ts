import { describe, expect, it } from "vitest";
import {
  createCandidates,
  defaultDistillOptions,
  planDistill,
  planRounds,
  specFor,
  strategies,
  warpRanges,
  type CandidateKind,
  type Choice,
  type DistillOptions,
} from "../../src/activemixup/index.js";
import { passSeed, BALD_PASSES } from "../../src/activemixup/acquisition/bald.js";
import { drawDigits, type ImageSet } from "../../src/data/index.js";
import { blendImages, WHOLE_WEIGHT } from "../../src/kernels/index.js";
import { drawGumbel } from "../../src/kernels/select/index.js";
import { Network, type Pass } from "../../src/nn/index.js";
import { createTensor, readTensor, record, type Device, type Tensor } from "../../src/tensor/index.js";
import { useDevices } from "../devices.js";
import { BrightnessTeacher, CLASSES } from "./brightness-teacher.js";

const devices = useDevices();

const LAMBDAS = [0.3, 0.5, 0.7];
const SEED = 4;
const candidateWarps = warpRanges("affine", 1, false);
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

/** Probabilities that a network gives each of the images, u8 [rows, C, H, W], as [rows][classes]. */
async function look(network: Network, images: Tensor<"u8">, pass: Options): Promise<number[][]> {
  const { device, spec } = network;
  const rows = Array.from({ length: images.shape[0] }, (_, row) => row);
  const words = (data: number[]) => createTensor(device, [data.length], { dtype: "u32", data });
  const blend = {
    first: words(rows),
    second: words(rows),
    weight: words(rows.map(() => WHOLE_WEIGHT)),
  };
  const step = words([pass.step ?? 0]);
  const recording = await record(device, (recorder) => {
    const input = blendImages(recorder, images, blend, { mean: spec.mean, std: spec.deviation });
    return recorder.keep(network.forward({ recorder, ...pass, step }, input).output);
  });
  recording.run();
  const logits = Array.from(await readTensor(recording.result));
  recording.dispose();
  for (const tensor of [...Object.values(blend), step]) tensor.dispose();
  return rows.map((row) => softmaxOf(logits.slice(row * CLASSES, (row + 1) * CLASSES)));
}

/** What the strategy chooses in round 2, and what its definition does. */
async function choose(
  device: Device,
  strategy: string,
  count: number,
  images: ImageSet,
  architecture = "lenet5-half",
  kind: CandidateKind = "mix",
) {
  const shape = [images.count, images.channels, images.height, images.width];
  const real = createTensor(device, shape, { dtype: "u8", data: images.pixels });
  const options = { candidates: kind, candidateWarps, lambdas: LAMBDAS, seed: SEED, blendAt: "pixels" as const };
  const candidates = createCandidates(
    images,
    real,
    { ...options, pool: kind === "mix" ? undefined : 40 },
    { single: false },
  );
  const networks = [1, 2, 3].map((seed) => new Network(device, specFor(architecture, images, CLASSES), seed));
  const [student, ...others] = networks;
  const acquisition = await strategies[strategy].create!({ candidates, student, others, seed: SEED });
  candidates.begin(ROUND);
  if (kind === "mix") candidates.take(3);
  const chosen = await acquisition.select(count, ROUND, {});

  const grid = Array.from({ length: candidates.lambdas }, (_, l) => l);
  const all = Array.from({ length: candidates.size }, (_, place) => grid.map((l) => candidates.choice(place, l)));
  const pixels = createTensor(device, [all.flat().length, ...shape.slice(1)], {
    dtype: "u8",
    data: candidates.pixels(all.flat()),
  });
  const passes: [Network, Options][] =
    strategy === "bald"
      ? Array.from({ length: BALD_PASSES }, (_, pass) => [
          student,
          { training: false, dropout: true, seed: passSeed(SEED, pass), step: ROUND - 1 },
        ])
      : networks.map((network) => [network, { training: false, seed: 0 }]);
  const said: number[][][] = [];
  for (const [network, pass] of passes) said.push(await look(network, pixels, pass));
  const scored = all.flatMap((choices, place) => {
    if (candidates.taken[place] !== 0) return [];
    const scores = choices.map((_, l) => definitions[strategy](said.map((rows) => rows[place * grid.length + l])));
    const lambda = scores.indexOf(Math.min(...scores));
    const doubt = () => Math.log(1 - scores[lambda]) + drawGumbel(place, ROUND, SEED);
    return { score: strategy === "noisy-confidence" ? -doubt() : scores[lambda], choice: choices[lambda] };
  });
  const expected = scored.sort((a, b) => a.score - b.score).slice(0, count);

  acquisition.dispose();
  candidates.dispose();
  for (const network of networks) network.dispose();
  pixels.dispose();
  real.dispose();
  return { chosen, expected };
}

const digits = { ...drawDigits(12, 1, { size: 12 }), labels: undefined };
const blend = ({ candidate, first, second, lambda }: Choice) => ({ candidate, first, second, lambda });

describe("the choice is that of the definition, computed on the host, by", () => {
  it.each(["confidence", "noisy-confidence", "margin", "entropy", "committee"])("%s", async (strategy) => {
    for (const device of [devices.cpu, devices.gpu]) {
      const { chosen, expected } = await choose(device, strategy, 9, digits);
      expect(chosen.map(blend)).toEqual(expected.map(({ choice }) => blend(choice)));
      const confidence = expected.map(({ score }) =>
        strategy === "confidence" ? expect.closeTo(score, 5) : undefined,
      );
      expect(chosen.map((choice) => choice.confidence)).toEqual(confidence);
    }
  });

  it.each(["noisy-confidence", "entropy", "committee"])("%s, of warped, mixed and cut images", async (strategy) => {
    const { chosen, expected } = await choose(devices.gpu, strategy, 9, digits, "lenet5-half", "mixture");
    expect(chosen.map(blend)).toEqual(expected.map(({ choice }) => blend(choice)));
  });

  it.each(["alexnet-half", "lenet5-dropout"])("bald, of the student %s", async (architecture) => {
    const images = { ...drawDigits(5, 1, { size: 16 }), labels: undefined };
    const { chosen, expected } = await choose(devices.gpu, "bald", 4, images, architecture);
    expect(chosen.map(blend)).toEqual(expected.map(({ choice }) => blend(choice)));
  });
});

describe("what a strategy cannot work with is refused when the run is planned:", () => {
  const attempt = (change: Partial<DistillOptions>) => () => {
    const student = new Network(devices.cpu, specFor("lenet5", digits, CLASSES), 0);
    const options = { ...defaultDistillOptions, budget: 40, ...change };
    try {
      planDistill({ images: digits, teacher: new BrightnessTeacher(), student, options });
    } finally {
      student.dispose();
    }
  };

  it("a student without dropout by bald", () => {
    expect(attempt({ strategy: "bald" })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: --strategy bald needs dropout and the student lenet5 has no dropout layer; give --strategy committee, or --student lenet5-dropout]`,
    );
  });

  it("a committee of one, or of a strategy that has none", () => {
    expect(attempt({ strategy: "committee", committee: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: --committee is 1; expected a whole number from 2 to 16, the student among them]`,
    );
    expect(attempt({ strategy: "margin", committee: 4 })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: --committee is of --strategy committee and of --pseudo-labels; the strategy is margin: leave it out]`,
    );
    expect(attempt({ strategy: "committee", committee: 4 })).not.toThrow();
  });

  it("a sample for badge to choose from, by another", () => {
    expect(attempt({ strategy: "margin", badgeSample: 50 })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: --badge-sample is of --strategy badge; the strategy is margin]`,
    );
    expect(attempt({ strategy: "badge", badgeSample: 1.5 })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: --badge-sample is 1.5; expected a whole number from 1 up]`,
    );
    expect(attempt({ strategy: "badge", badgeSample: 50 })).not.toThrow();
    // All of a sample is no choice. The largest of the rounds counts.
    const round = Math.max(...planRounds(digits.count, { ...defaultDistillOptions, budget: 40 }).slice(1));
    expect(attempt({ strategy: "badge", badgeSample: round + 1 })).not.toThrow();
    expect(attempt({ strategy: "badge", badgeSample: round })).toThrow(
      `--badge-sample is ${round}, and a round asks about ${round}, which would be all of these or more; ` +
        `expected more than ${round}, or --strategy random`,
    );
  });
});
