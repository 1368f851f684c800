/** Training with true labels: for teachers, and for comparison. */
import { checkLabels, type ImageSet } from "../data/index.js";
import { InputError } from "../errors.js";
import { WHOLE_WEIGHT } from "../kernels/index.js";
import { Examples, plainAdam, Predictor, Trainer, type Network } from "../nn/index.js";
import { createTensor } from "../tensor/index.js";
import { share } from "./evaluation.js";
import { MOST_STEPS } from "./plan.js";

/** Hears of training on labelled images while it goes on, and may end it. */
export interface LabelledFitObserver {
  readonly signal?: AbortSignal | undefined;
  /** `images` of `of`, each as often as it is trained on. */
  readonly onProgress?: ((images: number, of: number) => void) | undefined;
  /** After each pass over the images: its number, from 1, and the mean loss of its steps (nats). */
  readonly onEpoch?: ((epoch: number, loss: number) => void) | undefined;
}

/** What training on labelled images is done with. */
export interface LabelledFitOptions {
  readonly epochs: number;
  readonly batch: number;
  /** Highest learning rate; it falls to 0 along a cosine. */
  readonly rate: number;
  /** Largest random shift in pixels. */
  readonly crop: number;
  readonly flip?: boolean;
  readonly seed: number;
}

/**
 * Trains a network on the true labels of `data` with Adam and a cosine schedule. An abort ends it early; the network
 * then holds what was trained until then.
 * @param data with labels
 * @returns passes that were made, and the mean loss of the last of them (nats; NaN before the first)
 * @throws InputError where there are no labels, one is not below the network's number of classes, or the epochs are more
 * than 2^24 steps; what {@link Trainer.create} and {@link Trainer.fit} throw.
 */
export async function fitLabelled(
  network: Network,
  data: ImageSet,
  options: LabelledFitOptions,
  { signal, onProgress, onEpoch }: LabelledFitObserver = {},
): Promise<{ epochs: number; interrupted: boolean; loss: number }> {
  const stepsPerEpoch = Math.max(1, Math.round(data.count / options.batch));
  const steps = options.epochs * stepsPerEpoch;
  if (steps > MOST_STEPS) {
    throw new InputError(`--epochs ${options.epochs} give ${steps} training steps; expected at most ${MOST_STEPS}`);
  }
  const { device, spec } = network;
  const labels = labelsOf(data);
  checkLabels(data, spec.classes);
  const shape = [data.count, data.channels, data.height, data.width];
  const images = createTensor(device, shape, { dtype: "u8", data: data.pixels, name: "training images" });
  const examples = new Examples(device, images, data.count, spec.classes);
  const targets = new Float32Array(data.count * spec.classes);
  for (const [image, label] of labels.entries()) targets[image * spec.classes + label] = 1;
  examples.set(
    Array.from({ length: data.count }, (_, image) => ({ first: image, second: image, weight: WHOLE_WEIGHT })),
    targets,
  );
  const { batch, crop, flip = false, seed } = options;
  const settings = { batch, optimizer: plainAdam, augmentation: { crop, flip }, seed };
  const trainer = await Trainer.create(network, examples, settings, steps);
  let epochs = 0;
  let loss = NaN;
  try {
    await trainer.fit(0, {
      steps,
      schedule: { kind: "cosine", rate: options.rate, floor: 0, warmup: Math.min(100, Math.floor(steps / 10)) },
      signal,
      onProgress: (done) => onProgress?.(done * batch, steps * batch),
      onEpoch: (epoch) => {
        epochs = epoch.step / stepsPerEpoch;
        loss = epoch.loss;
        onEpoch?.(epochs, loss);
      },
    });
    return { epochs, interrupted: false, loss };
  } catch (error) {
    if (!signal?.aborted || error !== signal.reason) throw error;
    return { epochs, interrupted: true, loss };
  } finally {
    trainer.dispose();
    examples.dispose();
    images.dispose();
  }
}

/**
 * Share of the images that the network classifies rightly.
 * @param test of the network's image shape, with labels
 * @throws InputError where there are no labels
 */
export async function accuracyOf(network: Network, test: ImageSet): Promise<number> {
  const labels = labelsOf(test);
  const predictor = await Predictor.create(network, Math.min(test.count, 2048));
  try {
    const predicted = await predictor.predict(test.pixels);
    return share(predicted.labels, labels);
  } finally {
    predictor.dispose();
  }
}

function labelsOf({ name, labels }: ImageSet) {
  if (!labels) throw new InputError(`${name} has no labels; give labelled images`);
  return labels;
}
