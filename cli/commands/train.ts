import { Command } from "commander";
import { checkLabels, openImageSet, type ImageSet } from "../../src/data/index.js";
import { accuracyOf, checkClassNames, fitLabelled, specFor } from "../../src/activemixup/index.js";
import { InputError } from "../../src/errors.js";
import { architectures, encodeNetwork, Network } from "../../src/nn/index.js";
import type { Device } from "../../src/tensor/index.js";
import { withDevice } from "../device.js";
import { checkWritable, writeWhole } from "../files.js";
import { positive, whole } from "../parse.js";
import type { CommonOptions } from "../common-options.js";
import { createProgress, type Progress } from "../progress.js";
import { percent } from "../table.js";
import { deviceRecord, type DeviceRecord } from "../tuning.js";
import { version } from "../version.js";

interface TrainOptions extends CommonOptions {
  readonly data: string;
  readonly model: string;
  readonly out: string;
  readonly test?: string;
  readonly epochs: number;
  readonly batch: number;
  readonly rate: number;
  readonly crop: number;
  readonly flip?: boolean;
  readonly seed: number;
}

/** `activemixup train`: a network from labelled images, to be a teacher. */
export function trainCommand(signal: AbortSignal): Command {
  return new Command("train")
    .description("train a network on labelled images, for example to be a teacher")
    .requiredOption("--data <path>", "labelled images: PATH or PATH:train or PATH:test")
    .requiredOption("--model <name>", `network: ${architectures.join(", ")}`)
    .requiredOption("--out <file>", "where the network goes (safetensors)")
    .option("--test <path>", "labelled images to measure the accuracy on at the end")
    .option("--epochs <count>", "passes over the images", whole(1), 20)
    .option("--batch <images>", "images in a training step", whole(1), 64)
    .option("--rate <rate>", "highest learning rate of Adam; it falls to 0 along a cosine", positive, 1e-3)
    .option("--crop <pixels>", "shift images by up to so many pixels in training", whole(0), 2)
    .option("--flip", "mirror images at random in training")
    .option("--seed <seed>", "seed of all random numbers", whole(0), 0)
    .action(async (options: TrainOptions) => {
      const progress = createProgress(options.quiet);
      const data = await openLabelled("--data", options.data);
      const test = options.test === undefined ? undefined : await openTest(options.test, data);
      if (options.crop >= Math.min(data.height, data.width)) {
        throw new InputError(
          `--crop is ${options.crop}; expected less than the images' ${data.height} × ${data.width}`,
        );
      }
      await checkWritable("--out", options.out);
      const result = await withDevice(options, progress, (device) =>
        train(device, data, test, options, progress, signal),
      );
      if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
      else process.stdout.write(`${describeResult(result, options)}\n`);
    });
}

interface TrainResult {
  readonly version: string;
  readonly model: string;
  /** Absent where nothing was written. */
  readonly out?: string;
  readonly device: DeviceRecord;
  readonly images: number;
  readonly epochs: number;
  readonly interrupted: boolean;
  /** Mean loss of the last pass, in nats. */
  readonly loss?: number;
  readonly accuracy?: number;
  readonly seconds: number;
}

async function train(
  device: Device,
  data: ImageSet,
  test: ImageSet | undefined,
  options: TrainOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<TrainResult> {
  const start = performance.now();
  const network = new Network(device, specFor(options.model, data, data.classes, data.classNames), options.seed);
  const fit = await fitLabelled(network, data, options, {
    signal,
    onProgress: (done, total) => {
      progress.update(`training ${options.model}`, done, total, "images");
    },
  });
  progress.end();
  // Less than one pass is not worth a file, least of all one that is there already.
  const written = !fit.interrupted || fit.epochs >= 1;
  if (written) await writeWhole(options.out, await encodeNetwork(network));
  const accuracy = test && !fit.interrupted ? await accuracyOf(network, test) : undefined;
  return {
    version,
    model: options.model,
    ...(written ? { out: options.out } : {}),
    device: deviceRecord(device),
    images: data.count,
    epochs: fit.epochs,
    interrupted: fit.interrupted,
    ...(Number.isFinite(fit.loss) ? { loss: fit.loss } : {}),
    ...(accuracy === undefined ? {} : { accuracy }),
    seconds: (performance.now() - start) / 1000,
  };
}

/**
 * Opens a set that has to have labels.
 * @throws InputError where it has none.
 */
export async function openLabelled(option: string, path: string): Promise<ImageSet> {
  const data = await openImageSet(path);
  if (!data.labels) {
    throw new InputError(
      `${option} ${path} has no labels; give labelled images (a folder for each class, or IDX labels)`,
    );
  }
  return data;
}

async function openTest(path: string, data: ImageSet): Promise<ImageSet> {
  const test = await openLabelled("--test", path);
  if (test.channels !== data.channels || test.height !== data.height || test.width !== data.width) {
    throw new InputError(
      `--test ${path} holds images of ${test.channels} × ${test.height} × ${test.width}; ` +
        `--data of ${data.channels} × ${data.height} × ${data.width}: give test images of the same size`,
    );
  }
  if (test.name === data.name) {
    throw new InputError(
      `--test ${path} is trained on and cannot be tested on; give other images, for example PATH:test`,
    );
  }
  checkLabels(test, data.classes);
  checkClassNames(test, data.classNames);
  return test;
}

function describeResult(result: TrainResult, { epochs }: TrainOptions): string {
  const done = result.interrupted ? `stopped after ${Math.floor(result.epochs)} of ${epochs} epochs; ` : "";
  if (result.out === undefined) return `${done}nothing is written`;
  const loss = result.loss === undefined ? "" : `, loss ${result.loss.toFixed(4)}`;
  const accuracy = result.accuracy === undefined ? "" : `, test accuracy ${percent(result.accuracy)}`;
  return `${done}${result.out}: ${result.model}${loss}${accuracy}, ${result.seconds.toFixed(0)} s`;
}
