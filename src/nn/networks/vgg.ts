import { BatchNorm } from "../layers/batch-norm.js";
import { Sequential } from "../layers/containers.js";
import { Conv2d } from "../layers/conv2d.js";
import { Linear } from "../layers/linear.js";
import { Flatten, MaxPool2d, ReLU } from "../layers/simple.js";
import type { Module } from "../module.js";
import type { ImageShape } from "./image-shape.js";

/** Filters of VGG-16's 3×3 convolutions; `pool` is max pooling 2/2 (Simonyan and Zisserman, 2014, column D). */
const VGG16 = [64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512, "pool"];

/**
 * VGG-16 for CIFAR with batch normalisation: 3×3 same convolutions each with BN and ReLU, then one fully connected
 * layer. Parameters have the names of PyTorch's `features` and `classifier`.
 * @param image 32 × 32 or more
 */
export function vgg16(image: ImageShape, classes: number): Module {
  const layers: Module[] = [];
  let channels = image.channels;
  for (const entry of VGG16) {
    if (typeof entry === "string") {
      layers.push(new MaxPool2d({ kernel: 2, stride: 2 }));
      continue;
    }
    layers.push(new Conv2d(channels, entry, 3, { padding: "same" }), new BatchNorm(entry), new ReLU());
    channels = entry;
  }
  const features = Sequential.of(...layers);
  const flatten = new Flatten();
  const shape = features.outputShape([1, image.channels, image.height, image.width]);
  const [, width] = flatten.outputShape(shape);
  return new Sequential({ features, flatten, classifier: new Linear(width, classes) });
}
