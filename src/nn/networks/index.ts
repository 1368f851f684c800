import { InputError, ShapeError } from "../../errors.js";
import type { Module } from "../module.js";
import { alexnet } from "./alexnet.js";
import type { ImageShape } from "./image-shape.js";
import { lenet5 } from "./lenet.js";
import { cifarResnet, resnet18 } from "./resnet.js";
import { vgg16 } from "./vgg.js";

export type { ImageShape } from "./image-shape.js";

/** Puts together the layers of a network for images of a shape, with one output a class. */
export type BuildNetwork = (image: ImageShape, classes: number) => Module;

/** The networks of the published tables, and LeNet-5 with dropout, by the names that the command takes. */
const published: Readonly<Record<string, BuildNetwork>> = {
  lenet5: (image, classes) => lenet5([6, 16], image, classes),
  "lenet5-half": (image, classes) => lenet5([3, 8], image, classes),
  "lenet5-dropout": (image, classes) => lenet5([6, 16], image, classes, 0.5),
  alexnet: (image, classes) => alexnet({ filters: [48, 128, 192, 192, 128], hidden: [512, 256] }, image, classes),
  "alexnet-half": (image, classes) => alexnet({ filters: [24, 64, 96, 96, 64], hidden: [256, 128] }, image, classes),
  vgg16,
  resnet20: (image, classes) => cifarResnet(3, image, classes),
  resnet32: (image, classes) => cifarResnet(5, image, classes),
  resnet18,
};

/** Names of the published networks, and of LeNet-5 with dropout, in the order to show them. */
export const architectures: readonly string[] = Object.keys(published);

const builders = new Map(Object.entries(published));

/**
 * Makes a network of one's own known by a name, for the life of the process: `new Network`, files of weights and
 * `distill` then take it as they take the published ones. To read its files, define it first.
 * @param build gives new layers at each call
 * @throws InputError where a network of that name is known already.
 */
export function defineNetwork(name: string, build: BuildNetwork): void {
  if (builders.has(name))
    throw new InputError(`defineNetwork: there is a network "${name}" already; choose another name`);
  builders.set(name, build);
}

/** Whether a network is called so, a published one or one of one's own. */
export function knowsNetwork(name: string): boolean {
  return builders.has(name);
}

/**
 * Layers of the named network for images of the given shape.
 * @throws InputError where there is no such network, or the images are too small for it.
 */
export function buildModule(architecture: string, image: ImageShape, classes: number): Module {
  const build = builders.get(architecture);
  if (!build) {
    throw new InputError(`no network is called "${architecture}"; choose one of ${[...builders.keys()].join(", ")}`);
  }
  try {
    const module = build(image, classes);
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
