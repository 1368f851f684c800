import { BatchNorm } from "../layers/batch-norm.js";
import { Sequential } from "../layers/containers.js";
import { Conv2d } from "../layers/conv2d.js";
import { Linear } from "../layers/linear.js";
import { Flatten, MaxPool2d } from "../layers/simple.js";
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
  const layers: Record<string, Module> = {};
  let channels = image.channels;
  let place = 0;
  for (const [index, entry] of VGG16.entries()) {
    if (typeof entry === "string") {
      layers[place++] = new MaxPool2d({ kernel: 2, stride: 2, relu: true });
      continue;
    }
    layers[place++] = new Conv2d(channels, entry, 3, { padding: "same" });
    // ReLU keeps its place in PyTorch's numbering, but is done by the pooling that follows, or else by the BN.
    layers[place++] = new BatchNorm(entry, { relu: VGG16[index + 1] !== "pool" });
    place++;
    channels = entry;
  }
  const features = new Sequential(layers);
  const flatten = new Flatten();
  const shape = features.outputShape([1, image.channels, image.height, image.width]);
  const [, width] = flatten.outputShape(shape);
  return new Sequential({ features, flatten, classifier: new Linear(width, classes) });
}
