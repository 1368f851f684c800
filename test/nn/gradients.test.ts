import { describe, it } from "vitest";
import { softmaxCrossEntropy } from "../../src/kernels/index.js";
import { PadShortcut } from "../../src/nn/layers/pad-shortcut.js";
import {
  AvgPool2d,
  BatchNorm,
  Conv2d,
  Dropout,
  Flatten,
  GlobalAvgPool,
  Linear,
  MaxPool2d,
  ReLU,
  Residual,
  Sequential,
  type Module,
} from "../../src/nn/index.js";
import { CpuDevice, createTensor, type Shape } from "../../src/tensor/index.js";
import { expectGradients } from "./finite-differences.js";

const image: Shape = [2, 3, 6, 5];

const layers: Record<string, [Module, Shape]> = {
  // Square, so that a transpose left out fits all the same.
  "a linear layer": [new Linear(4, 4), [4, 4]],
  "a linear layer with ReLU": [new Linear(5, 4, { relu: true }), [3, 5]],
  "a convolution": [new Conv2d(3, 4, 3), image],
  "a convolution with ReLU": [new Conv2d(3, 4, 3, { padding: "same", relu: true }), image],
  "a convolution without bias": [new Conv2d(3, 4, 3, { padding: 1, bias: false }), image],
  "a convolution of stride 2 with ReLU, without bias": [
    new Conv2d(3, 4, 3, { stride: 2, padding: 1, relu: true, bias: false }),
    image,
  ],
  "batch norm of images": [new BatchNorm(3), image],
  "batch norm with ReLU": [new BatchNorm(3, { relu: true }), image],
  "batch norm of vectors": [new BatchNorm(3), [7, 3]],
  "a residual block": [new Residual(Sequential.of(new Conv2d(3, 3, 3, { padding: 1, relu: true }))), image],
  "a residual block of batch norms with a projection": [
    new Residual(
      Sequential.of(
        new Conv2d(3, 4, 3, { stride: 2, padding: 1, bias: false }),
        new BatchNorm(4),
        new ReLU(),
        new Conv2d(4, 4, 3, { padding: 1, bias: false }),
        new BatchNorm(4),
      ),
      Sequential.of(new Conv2d(3, 4, 1, { stride: 2, bias: false }), new BatchNorm(4)),
    ),
    image,
  ],
  "a residual block with a padded shortcut": [
    new Residual(Sequential.of(new Conv2d(3, 5, 3, { stride: 2, padding: 1 })), new PadShortcut(3, 5, 2)),
    image,
  ],
  "a padded shortcut": [new PadShortcut(3, 5, 2), image],
  flattening: [new Flatten(), image],
  dropout: [new Dropout(0.5, 1), image],
  ReLU: [new ReLU(), image],
  "max pooling": [new MaxPool2d({ kernel: 2, stride: 2 }), image],
  "max pooling of windows that overlap": [new MaxPool2d({ kernel: 3, stride: 2, padding: 1 }), image],
  "max pooling with ReLU": [new MaxPool2d({ kernel: 2, stride: 2, relu: true }), image],
  "max pooling of windows that overlap, with ReLU": [
    new MaxPool2d({ kernel: 3, stride: 2, padding: 1, relu: true }),
    image,
  ],
  "average pooling": [new AvgPool2d({ kernel: 3, stride: 2, padding: 1 }), image],
  "global average pooling": [new GlobalAvgPool(), image],
  "a sequence": [Sequential.of(new Linear(5, 6, { relu: true }), new Dropout(0.25, 2), new Linear(6, 4)), [3, 5]],
};

describe("the backward pass gives the gradients that differences of the forward pass show, of", () => {
  const device = new CpuDevice();

  it.each(Object.keys(layers))("%s", async (name) => {
    const [module, shape] = layers[name];
    await expectGradients(device, module, shape);
  });

  it("a whole network with softmax cross-entropy", async () => {
    const network = new Sequential({
      conv1: new Conv2d(2, 4, 3, { padding: "same", bias: false }),
      bn1: new BatchNorm(4),
      relu: new ReLU(),
      pool: new MaxPool2d({ kernel: 2, stride: 2 }),
      layer1: new Residual(
        Sequential.of(new Conv2d(4, 4, 3, { padding: 1, relu: true }), new Conv2d(4, 4, 3, { padding: 1 })),
      ),
      layer2: new Residual(
        Sequential.of(new Conv2d(4, 6, 3, { stride: 2, padding: 1, bias: false }), new BatchNorm(6)),
        new PadShortcut(4, 6, 2),
      ),
      flatten: new Flatten(),
      dropout: new Dropout(0.25, 1),
      fc1: new Linear(24, 8, { relu: true }),
      fc2: new Linear(8, 3),
    });
    const targets = createTensor(device, [4, 3], {
      data: [0.7, 0.2, 0.1, 0, 1, 0, 0.25, 0.25, 0.5, 0.1, 0.1, 0.8],
    });
    await expectGradients(device, network, [4, 2, 8, 8], (recorder, output) => {
      const { losses, gradient } = softmaxCrossEntropy(recorder, output, targets);
      return { terms: losses, weights: [0.25, 0.25, 0.25, 0.25], gradient };
    });
  });
});
