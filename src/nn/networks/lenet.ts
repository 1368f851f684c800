import type { ImageShape } from "./image-shape.js";
import { Conv2d } from "../layers/conv2d.js";
import { Sequential } from "../layers/containers.js";
import { Linear } from "../layers/linear.js";
import { Dropout, Flatten, MaxPool2d } from "../layers/simple.js";
import type { Module } from "../module.js";

/**
 * LeNet-5 as in the published tables: conv 5×5 valid, pool 2/2, conv 5×5 same, pool 2/2, fc 120, fc 84, fc classes,
 * all activations ReLU.
 * @param filters of the two convolutions: 6 and 16; half of them in LeNet-5-half
 * @param image at least 8 × 8
 * @param rate of dropout behind fc 84, as Gal and Ghahramani (ICML 2016, arXiv 1506.02142, section 5) have it behind the
 *   hidden fully connected layer of their LeNet; none in the published tables
 */
export function lenet5(filters: readonly [number, number], image: ImageShape, classes: number, rate?: number): Module {
  const features = {
    conv1: new Conv2d(image.channels, filters[0], 5),
    pool1: new MaxPool2d({ kernel: 2, stride: 2, relu: true }),
    conv2: new Conv2d(filters[0], filters[1], 5, { padding: "same" }),
    pool2: new MaxPool2d({ kernel: 2, stride: 2, relu: true }),
    flatten: new Flatten(),
  };
  const [, width] = new Sequential(features).outputShape([1, image.channels, image.height, image.width]);
  return new Sequential({
    ...features,
    fc1: new Linear(width, 120, { relu: true }),
    fc2: new Linear(120, 84, { relu: true }),
    ...(rate === undefined ? {} : { drop2: new Dropout(rate, 2) }),
    fc3: new Linear(84, classes),
  });
}
