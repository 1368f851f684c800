import { accuracyOf, checkClassNames, fitLabelled, specFor } from "../../src/activemixup/index.js";
import { checkLabels, sameImages, sampleImages, type ImageSet, type UnreadableImage } from "../../src/data/index.js";
import { InputError } from "../../src/errors.js";
import { encodeState, Network, type NetworkState } from "../../src/nn/index.js";
import type { Device } from "../../src/tensor/index.js";
import { writeWhole } from "../files.js";
import { openImages } from "../images.js";
import type { Progress } from "../progress.js";
import { deviceRecord, type DeviceRecord } from "../tuning.js";
import { version } from "../version.js";
import type { TrainCommandOptions } from "./options.js";

/** Labelled images to train on, and those to test on, seen to fit together. */
export interface LabelledImages {
  readonly data: ImageSet;
  readonly test: ImageSet | undefined;
}

/** What training came to. */
export interface TrainResult {
  readonly version: string;
  readonly model: string;
  /** Absent where nothing was written. */
  readonly out?: string;
  readonly device: DeviceRecord;
  readonly images: number;
  /** Image files that `--skip-bad` left out. */
  readonly unreadable?: readonly UnreadableImage[];
  readonly epochs: number;
  readonly interrupted: boolean;
  /** Mean loss of the last pass, in nats. */
  readonly loss?: number;
  readonly accuracy?: number;
  readonly seconds: number;
}

/**
 * Opens the images that the options name.
 * @throws InputError where they have no labels, or do not fit together or the options; what `signal` is
 *   aborted with
 */
export async function openLabelledImages(
  options: TrainCommandOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<LabelledImages> {
  const open = (option: string, path: string) => openLabelled(option, path, options, progress, signal);
  const all = await open("--data", options.data);
  const test = options.test === undefined ? undefined : await open("--test", options.test);
  if (test) checkTest(options.test!, test, all);
  if (options.crop >= Math.min(all.height, all.width)) {
    throw new InputError(`--crop is ${options.crop}; expected less than the images' ${all.height} × ${all.width}`);
  }
  return { data: options.n === undefined ? all : sampleImages(all, options.n, options.seed), test };
}

/**
 * Trains a network and writes it to `options.out`. An abort ends it early; less than one pass is not worth a file,
 * least of all one that is there already.
 * @throws InputError where the network diverged, or cannot be written
 */
export async function trainNetwork(
  device: Device,
  { data, test }: LabelledImages,
  options: TrainCommandOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<TrainResult> {
  const start = performance.now();
  const network = new Network(device, specFor(options.model, data, data.classes, data.classNames), options.seed);
  try {
    const fit = await fitLabelled(network, data, options, {
      signal,
      onProgress: (done, total) => {
        progress.update(`training ${options.model}`, done, total, "images");
      },
    });
    progress.end();
    const written = !fit.interrupted || fit.epochs >= 1;
    if (written) {
      const state = await network.state();
      checkFinite(fit.loss, state);
      await writeWhole(options.out, encodeState(network.spec, state));
    }
    const unreadable = [...(data.unreadable ?? []), ...(test?.unreadable ?? [])];
    const accuracy = test && !fit.interrupted ? await accuracyOf(network, test) : undefined;
    return {
      version,
      model: options.model,
      ...(written ? { out: options.out } : {}),
      device: deviceRecord(device),
      images: data.count,
      ...(unreadable.length > 0 ? { unreadable } : {}),
      epochs: fit.epochs,
      interrupted: fit.interrupted,
      ...(Number.isFinite(fit.loss) ? { loss: fit.loss } : {}),
      ...(accuracy === undefined ? {} : { accuracy }),
      seconds: (performance.now() - start) / 1000,
    };
  } finally {
    network.dispose();
  }
}

/** The weights too: they are ahead of the loss, which is the last whole pass's. */
function checkFinite(loss: number, state: NetworkState): void {
  const sound = [...state.values()].every(({ data }) => data.every(Number.isFinite));
  if (Number.isFinite(loss) && sound) return;
  const found = Number.isFinite(loss) ? "not all of its weights are finite" : `its loss is ${loss}`;
  throw new InputError(`the network diverged: ${found}; lower --rate`);
}

/**
 * Opens a set that has to have labels.
 * @throws InputError where it has none.
 */
async function openLabelled(
  option: string,
  path: string,
  options: TrainCommandOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<ImageSet> {
  const data = await openImages(path, options, progress, signal);
  if (!data.labels) {
    throw new InputError(
      `${option} ${path} has no labels; give labelled images (a folder for each class, or IDX labels)`,
    );
  }
  return data;
}

function checkTest(path: string, test: ImageSet, data: ImageSet): void {
  if (test.channels !== data.channels || test.height !== data.height || test.width !== data.width) {
    throw new InputError(
      `--test ${path} holds images of ${test.channels} × ${test.height} × ${test.width}; ` +
        `--data of ${data.channels} × ${data.height} × ${data.width}: give test images of the same size, or --size and --channels for both`,
    );
  }
  if (sameImages(test, data)) {
    throw new InputError(
      `--test ${path} is trained on and cannot be tested on; give other images, for example PATH:test`,
    );
  }
  checkLabels(test, data.classes);
  checkClassNames(test, data.classNames);
}
