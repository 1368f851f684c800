/**
 * What it costs, and changes, to score pairs by blends of the first layer's features instead of 8-bit blends:
 *
 *     npm run build && node bench/scoring-difference.mjs student.safetensors mnist:train
 *
 * Scores a sample of 100,000 pairs of 2,000 images in both ways, and prints the time of each, the largest and mean
 * difference of the scores, and how many of the 4,400 lowest are the same.
 */
import { readFile } from "node:fs/promises";
import { performance } from "node:perf_hooks";
import { LowestScoreAcquisition, PairCandidates, paperLambdas, ScoreRule } from "../dist/src/activemixup/index.js";
import { openImageSet, sampleIndices, subset } from "../dist/src/data/index.js";
import { decodeNetwork } from "../dist/src/nn/index.js";
import { createTensor, openDevice } from "../dist/src/tensor/index.js";

const [file, path] = process.argv.slice(2);
const [N, PAIRS, LOWEST] = [2000, 100_000, 4400];

const device = await openDevice("webgpu");
const student = decodeNetwork(await readFile(file), file, device);
const all = await openImageSet(path);
const set = subset(all, sampleIndices(all, N, 0));
const shape = [N, set.channels, set.height, set.width];
const images = createTensor(device, shape, { dtype: "u8", data: set.pixels });

/** Scores and λ by candidate, and the numbers of the lowest. */
async function score(blendAt) {
  const options = { lambdas: paperLambdas, pool: PAIRS, seed: 0, single: false, blendAt };
  const candidates = new PairCandidates(set, images, options);
  const context = { candidates, student, seed: 0 };
  const acquisition = await LowestScoreAcquisition.create(context, await ScoreRule.create(context, "confidence"));
  const start = performance.now();
  const choices = await acquisition.select(PAIRS, 1, {});
  const seconds = (performance.now() - start) / 1000;
  acquisition.dispose();
  const byCandidate = choices.toSorted((a, b) => a.candidate - b.candidate);
  return { seconds, byCandidate, lowest: new Set(choices.slice(0, LOWEST).map(({ candidate }) => candidate)) };
}

const pixels = await score("pixels");
const features = await score("features");
const differences = pixels.byCandidate.map(({ confidence }, at) =>
  Math.abs(confidence - features.byCandidate[at].confidence),
);
const sameLambda = pixels.byCandidate.filter(({ lambda }, at) => lambda === features.byCandidate[at].lambda).length;
const rows = {
  network: student.spec.architecture,
  "seconds, pixels": pixels.seconds.toFixed(1),
  "seconds, features": features.seconds.toFixed(1),
  "largest difference of scores": Math.max(...differences).toExponential(2),
  "mean difference": (differences.reduce((sum, value) => sum + value, 0) / PAIRS).toExponential(2),
  [`same λ, of ${PAIRS}`]: sameLambda,
  [`same among the ${LOWEST} lowest`]: [...pixels.lowest].filter((candidate) => features.lowest.has(candidate)).length,
};
for (const [name, value] of Object.entries(rows)) console.log(`${name.padEnd(30)} ${value}`);
device.destroy();
