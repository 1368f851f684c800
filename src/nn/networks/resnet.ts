import { BatchNorm } from "../layers/batch-norm.js";
import { Residual, Sequential } from "../layers/containers.js";
import { Conv2d } from "../layers/conv2d.js";
import { Linear } from "../layers/linear.js";
import { PadShortcut } from "../layers/pad-shortcut.js";
import { GlobalAvgPool } from "../layers/simple.js";
import type { Module } from "../module.js";
import type { ImageShape } from "./image-shape.js";

interface Stage {
  readonly channels: number;
  readonly blocks: number;
  /** Of the first block. */
  readonly stride: number;
}

type Shortcut = (inputs: number, outputs: number, stride: number) => Module;

/** Shortcut without parameters: every `stride`-th pixel, further channels zero (He et al. 2015, option A). */
const padded: Shortcut = (inputs, outputs, stride) => new PadShortcut(inputs, outputs, stride);

/** Shortcut by a 1×1 convolution with batch normalisation (He et al. 2015, option B). */
const projected: Shortcut = (inputs, outputs, stride) =>
  Sequential.of(new Conv2d(inputs, outputs, 1, { stride, bias: false }), new BatchNorm(outputs));

function basicBlock(inputs: number, outputs: number, stride: number, shortcut: Shortcut): Module {
  const main = new Sequential({
    conv1: new Conv2d(inputs, outputs, 3, { stride, padding: 1, bias: false }),
    bn1: new BatchNorm(outputs, { relu: true }),
    conv2: new Conv2d(outputs, outputs, 3, { padding: 1, bias: false }),
    bn2: new BatchNorm(outputs),
  });
  const same = stride === 1 && inputs === outputs;
  return new Residual(main, same ? undefined : shortcut(inputs, outputs, stride));
}

function resnet(stages: readonly Stage[], shortcut: Shortcut, image: ImageShape, classes: number): Module {
  const stem = stages[0].channels;
  const layers: Record<string, Module> = {
    conv1: new Conv2d(image.channels, stem, 3, { padding: 1, bias: false }),
    bn1: new BatchNorm(stem, { relu: true }),
  };
  let channels = stem;
  for (const [index, stage] of stages.entries()) {
    const blocks: Module[] = [];
    for (let block = 0; block < stage.blocks; block++) {
      blocks.push(basicBlock(channels, stage.channels, block === 0 ? stage.stride : 1, shortcut));
      channels = stage.channels;
    }
    layers[`layer${index + 1}`] = Sequential.of(...blocks);
  }
  return new Sequential({ ...layers, avgpool: new GlobalAvgPool(), fc: new Linear(channels, classes) });
}

/**
 * ResNet-20 (3 blocks a stage) and ResNet-32 (5) for CIFAR: three stages of 16, 32 and 64 channels, shortcuts without
 * parameters (He et al. 2015, section 4.2).
 */
export function cifarResnet(blocks: number, image: ImageShape, classes: number): Module {
  const stages = [
    { channels: 16, blocks, stride: 1 },
    { channels: 32, blocks, stride: 2 },
    { channels: 64, blocks, stride: 2 },
  ];
  return resnet(stages, padded, image, classes);
}

/** ResNet-18 for 32×32 images: a 3×3 stride-1 stem without pooling, four stages of two blocks (He et al. 2015). */
export function resnet18(image: ImageShape, classes: number): Module {
  const stages = [64, 128, 256, 512].map((channels, index) => ({ channels, blocks: 2, stride: index === 0 ? 1 : 2 }));
  return resnet(stages, projected, image, classes);
}
