import {
  advance,
  batchNormTrain,
  blendImages,
  candidateBlends,
  conv2d,
  conv2dInputGradient,
  conv2dWeightGradient,
  matmul,
  maxPool2d,
  scorePairs,
  selectLowest,
  WHOLE_WEIGHT,
} from "../src/kernels/index.js";
import { paperLambdas, lambdaWeight } from "../src/activemixup/index.js";
import { Examples, Network, plainAdam, Trainer } from "../src/nn/index.js";
import {
  createTensor,
  Philox,
  record,
  type Device,
  type Recording,
  type Shape,
  type Tensor,
} from "../src/tensor/index.js";

/** One row of the benchmark. */
export interface Case {
  readonly name: string;
  /** What one run works through: floating-point operations, bytes moved, or images. */
  readonly work: number;
  readonly unit: "GFLOP/s" | "GB/s" | "images/s" | "blends/s" | "scores/s";
  record(device: Device): Promise<{ recording: Recording<unknown>; dispose: () => void }>;
}

const random = new Philox(1);

function filled(device: Device, shape: Shape): Tensor<"f32"> {
  const size = shape.reduce((product, length) => product * length, 1);
  return createTensor(device, shape, { data: Float32Array.from({ length: size }, () => random.float() - 0.5) });
}

/** A case whose recording works on random tensors of the given shapes. */
function kernelCase(
  name: string,
  unit: Case["unit"],
  work: number,
  shapes: readonly Shape[],
  body: (recorder: Parameters<Parameters<typeof record>[1]>[0], tensors: Tensor<"f32">[]) => unknown,
): Case {
  return {
    name,
    unit,
    work,
    async record(device) {
      const tensors = shapes.map((shape) => filled(device, shape));
      const recording = await record(device, (recorder) => body(recorder, tensors));
      return {
        recording,
        dispose: () => {
          recording.dispose();
          for (const tensor of tensors) tensor.dispose();
        },
      };
    },
  };
}

function matmulCase(size: number): Case {
  const shape = [size, size];
  return kernelCase(`matmul ${size}³`, "GFLOP/s", 2 * size ** 3, [shape, shape], (recorder, [a, b]) =>
    matmul(recorder, a, b),
  );
}

/** Forward and both gradients of a convolution; each does the same number of operations. */
function convolutionCases(name: string, input: Shape, outputs: number, kernel: number, padding: number): Case[] {
  const [batch, channels, height, width] = input;
  const weight = [outputs, channels, kernel, kernel];
  const output = [batch, outputs, height + 2 * padding - kernel + 1, width + 2 * padding - kernel + 1];
  const work = 2 * output.reduce((product, length) => product * length, 1) * channels * kernel ** 2;
  const label = `conv ${name} [${input.join(",")}]→${outputs} ${kernel}×${kernel}`;
  return [
    kernelCase(`${label} forward`, "GFLOP/s", work, [input, weight], (recorder, [x, w]) =>
      conv2d(recorder, x, w, undefined, { padding }),
    ),
    kernelCase(`${label} d input`, "GFLOP/s", work, [output, weight], (recorder, [gradient, w]) =>
      conv2dInputGradient(recorder, gradient, w, input, { padding }),
    ),
    kernelCase(`${label} d weight`, "GFLOP/s", work, [input, output], (recorder, [x, gradient]) =>
      conv2dWeightGradient(recorder, x, gradient, weight, { padding }),
    ),
  ];
}

const mnist = { channels: 1, height: 28, width: 28 };
const lenetSpec = (architecture: string) => ({
  architecture,
  image: mnist,
  classes: 10,
  mean: [0.13],
  deviation: [0.31],
});

function randomImages(device: Device, count: number, { channels, height, width } = mnist): Tensor<"u8"> {
  const size = count * channels * height * width;
  const data = Uint8Array.from({ length: size }, () => random.uint32());
  return createTensor(device, [count, channels, height, width], { dtype: "u8", data });
}

/** The whole training step that `train` and `distill` replay: gather, blend, normalise, forward, backward, Adam. */
function trainingCase(architecture: string, batch: number): Case {
  return {
    name: `${architecture} training, batch ${batch}`,
    unit: "images/s",
    work: batch,
    async record(device) {
      const images = randomImages(device, 1024);
      const network = new Network(device, lenetSpec(architecture), 1);
      const examples = new Examples(device, images, 1024, 10);
      const all = Array.from({ length: 1024 }, (_, image) => ({ first: image, second: image, weight: WHOLE_WEIGHT }));
      examples.set(all, new Float32Array(1024 * 10).fill(0.1));
      const options = { batch, optimizer: plainAdam, augmentation: { crop: 2, flip: false }, seed: 1 };
      const trainer = await Trainer.create(network, examples, options, 1000);
      return {
        recording: trainer.recording,
        dispose: () => {
          trainer.dispose();
          examples.dispose();
          network.dispose();
          images.dispose();
        },
      };
    },
  };
}

function inferenceCase(architecture: string, batch: number): Case {
  return {
    name: `${architecture} inference, batch ${batch}`,
    unit: "images/s",
    work: batch,
    async record(device) {
      const network = new Network(device, lenetSpec(architecture), 1);
      const input = filled(device, [batch, mnist.channels, mnist.height, mnist.width]);
      const recording = await record(device, (recorder) =>
        network.forward({ recorder, training: false, seed: 0 }, input),
      );
      return {
        recording,
        dispose: () => {
          recording.dispose();
          input.dispose();
          network.dispose();
        },
      };
    },
  };
}

/** The scoring pass of `distill`: blends of 93 pairs at 11 λ each, forward, smallest confidence over λ. */
function scoringCase(architecture: string): Case {
  const batch = 93;
  const pool = 100_000;
  return {
    name: `pool scoring with ${architecture}, 11 λ a pair`,
    unit: "blends/s",
    work: batch * paperLambdas.length,
    async record(device) {
      const network = new Network(device, lenetSpec(architecture), 1);
      const images = randomImages(device, 2000);
      const u32 = (size: number, data?: ArrayLike<number>) => createTensor(device, [size], { dtype: "u32", data });
      const [counter, taken, choices] = [u32(1), u32(pool), u32(pool)];
      const pairs = u32(pool, random.sample(pool, (2000 * 1999) / 2));
      const lambdas = u32(paperLambdas.length, paperLambdas.map(lambdaWeight));
      const scores = createTensor(device, [pool]);
      const recording = await record(device, (recorder) => {
        const blend = candidateBlends(recorder, { images: 2000, pool, pairs, lambdas, counter, batch });
        const input = blendImages(recorder, images, blend, { mean: [0.13], std: [0.31] });
        const { output } = network.forward({ recorder, training: false, seed: 0 }, input);
        scorePairs(recorder, output, { counter, taken, scores, choices, lambdas: paperLambdas.length });
        advance(recorder, counter);
      });
      return {
        recording,
        dispose: () => {
          recording.dispose();
          network.dispose();
          for (const tensor of [images, counter, taken, choices, pairs, lambdas, scores]) tensor.dispose();
        },
      };
    },
  };
}

/** Blending and normalising 8-bit images: two bytes read and four written for each value. */
function imageCase(batch: number): Case {
  const size = batch * mnist.channels * mnist.height * mnist.width;
  return {
    name: `image kernel, batch ${batch} of 1×28×28`,
    unit: "GB/s",
    work: 6 * size,
    async record(device) {
      const images = randomImages(device, batch);
      const numbers = (next: () => number) =>
        createTensor(device, [batch], { dtype: "u32", data: Uint32Array.from({ length: batch }, next) });
      const blend = {
        first: numbers(() => random.below(batch)),
        second: numbers(() => random.below(batch)),
        weight: numbers(() => random.below(WHOLE_WEIGHT)),
      };
      const recording = await record(device, (recorder) =>
        blendImages(recorder, images, blend, { mean: [0.13], std: [0.31] }),
      );
      return {
        recording,
        dispose: () => {
          recording.dispose();
          for (const tensor of [images, ...Object.values<Tensor>(blend)]) tensor.dispose();
        },
      };
    },
  };
}

/** The rows, in the order to show them. */
export const cases: readonly Case[] = [
  matmulCase(512),
  matmulCase(1024),
  ...convolutionCases("LeNet conv1", [64, 1, 28, 28], 6, 5, 0),
  ...convolutionCases("LeNet conv2", [64, 6, 12, 12], 16, 5, 2),
  ...convolutionCases("VGG", [8, 64, 32, 32], 64, 3, 1),
  kernelCase("max pool 2/2 [64,16,32,32]", "GB/s", 5 * 64 * 16 * 32 * 32, [[64, 16, 32, 32]], (recorder, [x]) =>
    maxPool2d(recorder, x, { kernel: 2, stride: 2 }),
  ),
  kernelCase(
    "batch norm, training [64,16,32,32]",
    "GB/s",
    12 * 64 * 16 * 32 * 32,
    [[64, 16, 32, 32], [16], [16], [16], [16]],
    (recorder, [x, gamma, beta, runningMean, runningVariance]) =>
      batchNormTrain(recorder, x, { gamma, beta, runningMean, runningVariance }),
  ),
  imageCase(1024),
  trainingCase("lenet5", 64),
  trainingCase("lenet5", 256),
  trainingCase("lenet5-half", 128),
  inferenceCase("lenet5", 1024),
  scoringCase("lenet5-half"),
  kernelCase("lowest 10,000 of 2,000,000", "scores/s", 2e6, [[2e6]], (recorder, [scores]) =>
    selectLowest(recorder, scores, 10_000),
  ),
];
