import {
  chooseConv2d,
  conv2d,
  conv2dChoice,
  conv2dInputGradient,
  conv2dSizes,
  conv2dWeightGradient,
  type Conv2dPass,
  type Conv2dVariant,
} from "../../src/kernels/conv2d/index.js";
import { sizeOf, type Recorder, type Shape, type Tensor } from "../../src/tensor/index.js";
import { arithmetic, forcedName, kernelCase, type Case } from "./case.js";

interface Convolution {
  /** Letter and number by which the page of benchmarks tells what it is. */
  readonly id: string;
  /** [N, C, H, W]. */
  readonly input: Shape;
  readonly outputs: number;
  readonly kernel: number;
  readonly padding: number;
  /** The images come from outside, so nobody needs their gradient. */
  readonly first?: boolean;
  readonly full?: boolean;
}

const suffixes: Readonly<Record<Conv2dPass, string>> = { forward: "", inputGradient: " dx", weightGradient: " dw" };

/** One pass of a convolution, by the variant that the device's rule takes, or by one that is forced. */
function passCase(convolution: Convolution, pass: Conv2dPass): Case {
  const { id, input, outputs, kernel, padding, full = false } = convolution;
  const weight = [outputs, input[1], kernel, kernel];
  const sizes = conv2dSizes(input, weight, undefined, { padding });
  const output = [sizes.n, sizes.o, sizes.oh, sizes.ow];
  // Each pass does the same number of operations.
  const work = arithmetic(2 * sizeOf(output) * sizeOf(weight.slice(1)));
  const shapes = { forward: [input, weight], inputGradient: [output, weight], weightGradient: [input, output] }[pass];
  const make = (name: string, variant?: Conv2dVariant) => {
    const options = { padding, ...(variant && { variant }) };
    const record = {
      forward: (recorder: Recorder, [x, w]: Tensor<"f32">[]) => conv2d(recorder, x, w, undefined, options),
      inputGradient: (recorder: Recorder, [dOut, w]: Tensor<"f32">[]) =>
        conv2dInputGradient(recorder, dOut, w, input, options),
      weightGradient: (recorder: Recorder, [x, dOut]: Tensor<"f32">[]) =>
        conv2dWeightGradient(recorder, x, dOut, weight, options),
    }[pass];
    return kernelCase(name, work, shapes, record, { full });
  };
  return {
    ...make(`conv ${id} [${input.join(",")}]→${outputs} ${kernel}×${kernel}${suffixes[pass]}`),
    variants: (capabilities) => {
      const chosen = chooseConv2d(pass, sizes, capabilities);
      return conv2dChoice(pass, sizes, capabilities).candidates.map((candidate) =>
        make(forcedName(`conv ${id}${suffixes[pass]}`, candidate, chosen), candidate),
      );
    },
  };
}

/** Forward and both gradients. */
function passCases(convolution: Convolution): Case[] {
  const passes: Conv2dPass[] = convolution.first
    ? ["forward", "weightGradient"]
    : ["forward", "inputGradient", "weightGradient"];
  return passes.map((pass) => passCase(convolution, pass));
}

/**
 * c1 to c4, the shapes of the comparison with other libraries; l1 and l2, LeNet-5's at batch 64; v3 to v11, those of
 * VGG-16's other convolutions at batch 32, by their number among all (c1 and c2 are the first and the second).
 */
const convolutions: readonly Convolution[] = [
  { id: "c1", input: [32, 3, 32, 32], outputs: 64, kernel: 3, padding: 1, first: true },
  { id: "c2", input: [32, 64, 32, 32], outputs: 64, kernel: 3, padding: 1 },
  { id: "c3", input: [32, 256, 8, 8], outputs: 512, kernel: 3, padding: 1 },
  { id: "c4", input: [64, 1, 28, 28], outputs: 20, kernel: 5, padding: 0 },
  { id: "l1", input: [64, 1, 28, 28], outputs: 6, kernel: 5, padding: 0, first: true },
  { id: "l2", input: [64, 6, 12, 12], outputs: 16, kernel: 5, padding: 2 },
  { id: "v3", input: [32, 64, 16, 16], outputs: 128, kernel: 3, padding: 1, full: true },
  { id: "v4", input: [32, 128, 16, 16], outputs: 128, kernel: 3, padding: 1, full: true },
  { id: "v5", input: [32, 128, 8, 8], outputs: 256, kernel: 3, padding: 1, full: true },
  { id: "v6", input: [32, 256, 8, 8], outputs: 256, kernel: 3, padding: 1, full: true },
  { id: "v8", input: [32, 256, 4, 4], outputs: 512, kernel: 3, padding: 1, full: true },
  { id: "v9", input: [32, 512, 4, 4], outputs: 512, kernel: 3, padding: 1, full: true },
  { id: "v11", input: [32, 512, 2, 2], outputs: 512, kernel: 3, padding: 1, full: true },
];

export const convolutionCases: readonly Case[] = convolutions.flatMap(passCases);
