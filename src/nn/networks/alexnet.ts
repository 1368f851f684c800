import { BatchNorm } from "../layers/batch-norm.js";
import { Sequential } from "../layers/containers.js";
import { Conv2d } from "../layers/conv2d.js";
import { Linear } from "../layers/linear.js";
import { Dropout, Flatten, MaxPool2d } from "../layers/simple.js";
import type { Module } from "../module.js";
import type { ImageShape } from "./image-shape.js";

/** Filters of the five convolutions and widths of the two hidden fully connected layers. */
export interface AlexNetWidths {
  readonly filters: readonly [number, number, number, number, number];
  readonly hidden: readonly [number, number];
}

/**
 * AlexNet for CIFAR as in the published tables: activation before pooling and batch normalisation, pool 3/2, dropout
 * 0.5 before the normalisation of each hidden fully connected layer.
 * @param image at least 15 × 15
 */
export function alexnet({ filters, hidden }: AlexNetWidths, image: ImageShape, classes: number): Module {
  const [f1, f2, f3, f4, f5] = filters;
  const pool = { kernel: 3, stride: 2, relu: true };
  const same = { padding: "same" } as const;
  const features = {
    conv1: new Conv2d(image.channels, f1, 5, same),
    pool1: new MaxPool2d(pool),
    bn1: new BatchNorm(f1),
    conv2: new Conv2d(f1, f2, 5, same),
    pool2: new MaxPool2d(pool),
    bn2: new BatchNorm(f2),
    conv3: new Conv2d(f2, f3, 3, { ...same, relu: true }),
    bn3: new BatchNorm(f3),
    conv4: new Conv2d(f3, f4, 3, { ...same, relu: true }),
    bn4: new BatchNorm(f4),
    conv5: new Conv2d(f4, f5, 3, same),
    pool5: new MaxPool2d(pool),
    bn5: new BatchNorm(f5),
    flatten: new Flatten(),
  };
  const [, width] = new Sequential(features).outputShape([1, image.channels, image.height, image.width]);
  return new Sequential({
    ...features,
    fc6: new Linear(width, hidden[0], { relu: true }),
    drop6: new Dropout(0.5, 6),
    bn6: new BatchNorm(hidden[0]),
    fc7: new Linear(hidden[0], hidden[1], { relu: true }),
    drop7: new Dropout(0.5, 7),
    bn7: new BatchNorm(hidden[1]),
    fc8: new Linear(hidden[1], classes),
  });
}
