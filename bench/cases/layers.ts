import {
  adam,
  batchNormBackward,
  batchNormTrain,
  globalAvgPool,
  maxPool2d,
  maxPool2dBackward,
  sgd,
  softmaxCrossEntropy,
} from "../../src/kernels/index.js";
import { createTensor, sizeOf, type Shape } from "../../src/tensor/index.js";
import { filled, kernelCase, recorded, traffic, type Case } from "./case.js";

const maps: Shape = [64, 64, 32, 32];
const pooled: Shape = [64, 64, 16, 16];
const channels: Shape = [64];
const size = sizeOf(maps);
const label = maps.join(",");
const pool = { kernel: 2, stride: 2 };

/** Normalisation and pooling of activations as VGG-16's first layers have them, at batch 64. */
const activationCases: readonly Case[] = [
  kernelCase(
    `batch norm [${label}]`,
    // Read for the statistics, read again and written.
    traffic(12 * size),
    [maps, channels, channels, channels, channels],
    (recorder, [x, gamma, beta, runningMean, runningVariance]) =>
      batchNormTrain(recorder, x, { gamma, beta, runningMean, runningVariance }),
  ),
  kernelCase(
    `batch norm [${label}] backward`,
    // x and the gradient are both read twice.
    traffic(20 * size),
    [maps, maps, channels, channels, channels],
    (recorder, [x, dOut, gamma, mean, inverseDeviation]) =>
      batchNormBackward(recorder, x, dOut, gamma, { mean, inverseDeviation }),
  ),
  kernelCase(`max pool 2/2 [${label}]`, traffic(5 * size), [maps], (recorder, [x]) => maxPool2d(recorder, x, pool)),
  kernelCase(
    `max pool 2/2 [${label}] backward`,
    traffic(9 * size),
    [maps, pooled, pooled],
    (recorder, [x, out, dOut]) => maxPool2dBackward(recorder, x, out, dOut, pool),
  ),
  kernelCase(`global average pool [${label}]`, traffic(4 * size), [maps], (recorder, [x]) =>
    globalAvgPool(recorder, x),
  ),
];

const logits: Shape = [1024, 1000];

const lossCase = kernelCase(
  `softmax, cross-entropy [${logits.join(",")}]`,
  // Logits and targets are read, the gradient is written.
  traffic(12 * sizeOf(logits)),
  [logits, logits],
  (recorder, [x, targets]) => softmaxCrossEntropy(recorder, x, targets),
);

const PARAMETERS = 2 ** 20;

/** An update of a million parameters; `streams` arrays of them are read or written. */
function optimizerCase(kind: "adam" | "sgd", streams: number): Case {
  return {
    name: `${kind === "adam" ? "Adam" : "SGD"}, 1M parameters`,
    work: traffic(4 * streams * PARAMETERS),
    record: (device) => {
      const [parameters, gradients] = [filled(device, [PARAMETERS]), filled(device, [PARAMETERS])];
      const moments = [createTensor(device, [PARAMETERS]), createTensor(device, [PARAMETERS])];
      const rates = createTensor(device, [1], { data: [1e-3] });
      const counter = createTensor(device, [1], { dtype: "u32" });
      const start = createTensor(device, [1], { dtype: "u32" });
      const tensors = [parameters, gradients, ...moments, rates, counter, start];
      return recorded(device, tensors, (recorder) => {
        const [first, second] = moments;
        const schedule = { rates, counter, weightDecay: 5e-4 };
        if (kind === "sgd") {
          sgd(recorder, { parameters, gradients, velocity: first }, { ...schedule, momentum: 0.9, nesterov: false });
        } else {
          const constants = { start, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
          adam(recorder, { parameters, gradients, mean: first, variance: second }, { ...schedule, ...constants });
        }
      });
    },
  };
}

export const layerCases: readonly Case[] = [
  ...activationCases,
  lossCase,
  optimizerCase("adam", 7),
  optimizerCase("sgd", 5),
];
