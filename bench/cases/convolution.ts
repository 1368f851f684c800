import { conv2d, conv2dInputGradient, conv2dWeightGradient } from "../../src/kernels/index.js";
import { sizeOf, type Shape } from "../../src/tensor/index.js";
import { arithmetic, kernelCase, type Case } from "./case.js";

interface Convolution {
  readonly name: string;
  /** [N, C, H, W]. */
  readonly input: Shape;
  readonly outputs: number;
  readonly kernel: number;
  readonly padding: number;
  /** The images come from outside, so nobody needs their gradient. */
  readonly first?: boolean;
}

/** Forward and both gradients; each does the same number of operations. */
function convolution({ name, input, outputs, kernel, padding, first }: Convolution, full: boolean): Case[] {
  const [batch, channels, height, width] = input;
  const weight = [outputs, channels, kernel, kernel];
  const output = [batch, outputs, height + 2 * padding - kernel + 1, width + 2 * padding - kernel + 1];
  const work = arithmetic(2 * sizeOf(output) * channels * kernel ** 2);
  const label = `conv ${name} [${input.join(",")}]→${outputs} ${kernel}×${kernel}`;
  const options = { padding };
  const forward = kernelCase(
    label,
    work,
    [input, weight],
    (recorder, [x, w]) => conv2d(recorder, x, w, undefined, options),
    { full },
  );
  const dInput = kernelCase(
    `${label} dx`,
    work,
    [output, weight],
    (recorder, [dOut, w]) => conv2dInputGradient(recorder, dOut, w, input, options),
    { full },
  );
  const dWeight = kernelCase(
    `${label} dw`,
    work,
    [input, output],
    (recorder, [x, dOut]) => conv2dWeightGradient(recorder, x, dOut, weight, options),
    { full },
  );
  return first ? [forward, dWeight] : [forward, dInput, dWeight];
}

/** c1 to c4, the shapes of the comparison with other libraries; l1 and l2, LeNet-5's at batch 64. */
const quick: readonly Convolution[] = [
  { name: "c1", input: [32, 3, 32, 32], outputs: 64, kernel: 3, padding: 1, first: true },
  { name: "c2", input: [32, 64, 32, 32], outputs: 64, kernel: 3, padding: 1 },
  { name: "c3", input: [32, 256, 8, 8], outputs: 512, kernel: 3, padding: 1 },
  { name: "c4", input: [64, 1, 28, 28], outputs: 20, kernel: 5, padding: 0 },
  { name: "l1", input: [64, 1, 28, 28], outputs: 6, kernel: 5, padding: 0, first: true },
  { name: "l2", input: [64, 6, 12, 12], outputs: 16, kernel: 5, padding: 2 },
];

/** The shapes of VGG-16's other convolutions, at batch 32. */
const vgg16: readonly Convolution[] = [
  { name: "v3", input: [32, 64, 16, 16], outputs: 128, kernel: 3, padding: 1 },
  { name: "v4", input: [32, 128, 16, 16], outputs: 128, kernel: 3, padding: 1 },
  { name: "v5", input: [32, 128, 8, 8], outputs: 256, kernel: 3, padding: 1 },
  { name: "v6", input: [32, 256, 8, 8], outputs: 256, kernel: 3, padding: 1 },
  { name: "v8", input: [32, 256, 4, 4], outputs: 512, kernel: 3, padding: 1 },
  { name: "v9", input: [32, 512, 4, 4], outputs: 512, kernel: 3, padding: 1 },
  { name: "v11", input: [32, 512, 2, 2], outputs: 512, kernel: 3, padding: 1 },
];

export const convolutionCases: readonly Case[] = [
  ...quick.flatMap((shape) => convolution(shape, false)),
  ...vgg16.flatMap((shape) => convolution(shape, true)),
];
