import { WHOLE_WEIGHT } from "../../src/kernels/index.js";
import {
  buildModule,
  Examples,
  Network,
  paperSgd,
  plainAdam,
  Trainer,
  type ImageShape,
  type NetworkSpec,
  type OptimizerOptions,
} from "../../src/nn/index.js";
import type { Device } from "../../src/tensor/index.js";
import { networkFlops } from "../flops.js";
import { filled, randomImages, recorded, type Case } from "./case.js";

/** A network on images of one size, as its training rows train it. */
export interface Workload {
  readonly architecture: string;
  readonly image: ImageShape;
  readonly optimizer: OptimizerOptions;
}

const mnist = { channels: 1, height: 28, width: 28 };
const cifar = { channels: 3, height: 32, width: 32 };

export const lenet5: Workload = { architecture: "lenet5", image: mnist, optimizer: plainAdam };
export const lenet5Half: Workload = { architecture: "lenet5-half", image: mnist, optimizer: plainAdam };
export const vgg16: Workload = { architecture: "vgg16", image: cifar, optimizer: paperSgd };

/** What the network of a workload is. */
export function specOf({ architecture, image }: Workload): NetworkSpec {
  const { channels } = image;
  return {
    architecture,
    image,
    classes: 10,
    mean: new Array<number>(channels).fill(0.5),
    deviation: new Array<number>(channels).fill(0.25),
  };
}

/** Floating-point operations for a batch of images. */
export function flopsOf({ architecture, image }: Workload, batch: number): { forward: number; training: number } {
  const { channels, height, width } = image;
  return networkFlops(buildModule(architecture, image, 10), [batch, channels, height, width]);
}

/** Images that a training row draws its batches from. */
const IMAGES = 1024;

/** The training step of a workload, with everything that it works on. */
export async function createTrainer(device: Device, workload: Workload, batch: number) {
  const { channels, height, width } = workload.image;
  const images = randomImages(device, [IMAGES, channels, height, width]);
  const network = new Network(device, specOf(workload), 1);
  const examples = new Examples(device, images, IMAGES, 10);
  const all = Array.from({ length: IMAGES }, (_, image) => ({ first: image, second: image, weight: WHOLE_WEIGHT }));
  examples.set(all, new Float32Array(IMAGES * 10).fill(0.1));
  const options = { batch, optimizer: workload.optimizer, augmentation: { crop: 2, flip: false }, seed: 1 };
  const trainer = await Trainer.create(network, examples, options, 1000);
  const dispose = () => {
    for (const each of [trainer, examples, network, images]) each.dispose();
  };
  return { recording: trainer.recording, network, trainer, examples, images, dispose };
}

/** The whole training step that `train` and `distill` replay: gather, blend, normalise, forward, backward, update. */
function training(workload: Workload, batch: number, full = false): Case {
  return {
    name: `${workload.architecture} training, batch ${batch}`,
    work: { unit: "images/s", amount: batch, bound: "multiply-add", cost: flopsOf(workload, batch).training },
    full,
    record: (device) => createTrainer(device, workload, batch),
  };
}

/** The forward pass in evaluation mode, of normalised images on the device. */
function inference(workload: Workload, batch: number, full = false): Case {
  const { channels, height, width } = workload.image;
  return {
    name: `${workload.architecture} inference, batch ${batch}`,
    work: { unit: "images/s", amount: batch, bound: "multiply-add", cost: flopsOf(workload, batch).forward },
    full,
    record: (device) => {
      const network = new Network(device, specOf(workload), 1);
      const input = filled(device, [batch, channels, height, width]);
      return recorded(device, [input, network], (recorder) =>
        network.forward({ recorder, training: false, seed: 0 }, input),
      );
    },
  };
}

export const networkCases: readonly Case[] = [
  ...[64, 128, 256].map((batch) => training(lenet5, batch)),
  ...[64, 128, 256].map((batch) => training(lenet5Half, batch)),
  training(vgg16, 32, true),
  inference(lenet5, 1024),
  inference(vgg16, 64, true),
];
