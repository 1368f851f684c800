import { InputError, ShapeError } from "../../errors.js";
import type { Module } from "../module.js";
import { alexnet } from "./alexnet.js";
import type { ImageShape } from "./image-shape.js";
import { lenet5 } from "./lenet.js";
import { cifarResnet, resnet18 } from "./resnet.js";
import { vgg16 } from "./vgg.js";

export type { ImageShape } from "./image-shape.js";

type Build = (image: ImageShape, classes: number) => Module;

/** The networks of the published tables, by the names that the command takes. */
const builders: Readonly<Record<string, Build>> = {
  lenet5: (image, classes) => lenet5([6, 16], image, classes),
  "lenet5-half": (image, classes) => lenet5([3, 8], image, classes),
  alexnet: (image, classes) => alexnet({ filters: [48, 128, 192, 192, 128], hidden: [512, 256] }, image, classes),
  "alexnet-half": (image, classes) => alexnet({ filters: [24, 64, 96, 96, 64], hidden: [256, 128] }, image, classes),
  vgg16,
  resnet20: (image, classes) => cifarResnet(3, image, classes),
  resnet32: (image, classes) => cifarResnet(5, image, classes),
  resnet18,
};

/** Names of the networks, in the order to show them. */
export const architectures: readonly string[] = Object.keys(builders);

/**
 * Layers of the named network for images of the given shape.
 * @throws InputError where there is no such network, or the images are too small for it.
 */
export function buildModule(architecture: string, image: ImageShape, classes: number): Module {
  if (!Object.hasOwn(builders, architecture)) {
    throw new InputError(`no network is called "${architecture}"; choose one of ${architectures.join(", ")}`);
  }
  try {
    const module = builders[architecture](image, classes);
    module.outputShape([1, image.channels, image.height, image.width]);
    return module;
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    const { channels, height, width } = image;
    throw new InputError(
      `network ${architecture} cannot take images of ${channels} × ${height} × ${width}: ${error.message}; give larger images (--size brings a folder of them to a size), or another network`,
    );
  }
}
