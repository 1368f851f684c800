import type { Command } from "commander";
import { architectures } from "../../src/nn/index.js";
import { withImageOptions, type ImageCommandOptions } from "../images.js";
import { positive, whole } from "../parse.js";

/** What `train` is asked to do, as given on the command line. */
export interface TrainCommandOptions extends ImageCommandOptions {
  readonly data: string;
  readonly model: string;
  readonly out: string;
  readonly test?: string;
  readonly n?: number;
  readonly epochs: number;
  readonly batch: number;
  readonly rate: number;
  readonly crop: number;
  readonly flip?: boolean;
  readonly seed: number;
}

/** Adds the options that say what is trained. */
export function withTrainOptions(command: Command): Command {
  command
    .requiredOption("--data <path>", "labelled images: PATH or PATH:train or PATH:test")
    .requiredOption("--model <name>", `network: ${architectures.join(", ")}`)
    .requiredOption("--out <file>", "where the network goes (safetensors)")
    .option("--test <path>", "labelled images to measure the accuracy on at the end")
    .option("--n <count>", "images to train on, drawn by the seed (default: all)", whole(1))
    .option("--epochs <count>", "passes over the images", whole(1), 20)
    .option("--batch <images>", "images in a training step", whole(1), 64)
    .option("--rate <rate>", "highest learning rate of Adam; it falls to 0 along a cosine", positive, 1e-3)
    .option("--crop <pixels>", "shift images by up to so many pixels in training", whole(0), 2)
    .option("--flip", "mirror images at random in training")
    .option("--seed <seed>", "seed of all random numbers", whole(0), 0);
  return withImageOptions(command);
}
