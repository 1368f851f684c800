import { DeviceError, ShapeError } from "../errors.js";
import { advance, argmax, blendImages, rangeIndices, scatterBatch, softmax, WHOLE_WEIGHT } from "../kernels/index.js";
import {
  createTensor,
  readTensor,
  record,
  replay,
  slice,
  writeTensor,
  type Recording,
  type Tensor,
} from "../tensor/index.js";
import type { Network } from "./network.js";
import { Owned } from "./owned.js";

/** What a network says of images. */
export interface Prediction {
  /** Class of the largest probability of each image. */
  readonly labels: Uint32Array;
  /** Softmax of the logits, [images, classes] row by row. */
  readonly probabilities: Float32Array;
}

const BATCH = 256;

/** Runs a network on 8-bit images from the host: recorded once for a number of images, replayed batch by batch. */
export class Predictor {
  /** The call of {@link predict} before, which has to be done with the tensors. */
  private before: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly network: Network,
    private readonly tensors: PredictorTensors,
    private readonly batch: number,
    private readonly recording: Recording<unknown>,
  ) {}

  /**
   * @param capacity images that are on the device at once, as far as it binds so many; more are taken in turns
   * @throws DeviceError where the device cannot run the network on a single image
   */
  static async create(network: Network, capacity: number): Promise<Predictor> {
    const { device, spec } = network;
    const { channels, height, width } = spec.image;
    const perImage = Math.max(channels * height * width, 4 * spec.classes);
    const bound = Math.floor(device.capabilities.bindingBytes / perImage);
    const count = Math.max(1, Math.min(capacity, bound));
    const largest = Math.min(BATCH, count);
    const made = new Owned();
    const { own } = made;
    try {
      const whole = new Uint32Array(largest).fill(WHOLE_WEIGHT);
      const tensors: PredictorTensors = {
        images: own(createTensor(device, [count, channels, height, width], { dtype: "u8", name: "images" })),
        weight: own(createTensor(device, [largest], { dtype: "u32", data: whole, name: "whole weight" })),
        position: own(createTensor(device, [1], { dtype: "u32", name: "position" })),
        labels: own(createTensor(device, [count], { dtype: "u32", name: "labels" })),
        probabilities: own(createTensor(device, [count, spec.classes], { name: "probabilities" })),
      };
      for (let batch = largest; ; batch = Math.ceil(batch / 2)) {
        try {
          return new Predictor(network, tensors, batch, await recordPrediction(network, tensors, batch));
        } catch (error) {
          // Activations may be larger than what the device binds: those of fewer images are not.
          if (!(error instanceof DeviceError) || batch === 1) throw error;
        }
      }
    } catch (error) {
      made.dispose();
      throw error;
    }
  }

  /**
   * Predicts images. Calls that overlap are done one after the other.
   * @param pixels 8-bit values, N C H W, of the network's image shape
   * @param onProgress hears how many images are done
   * @throws ShapeError where they are no whole number of images; the signal's reason; DisposedError after `dispose()`,
   * or that of the network or the device; DeviceError where the device is lost.
   */
  predict(pixels: Uint8Array, signal?: AbortSignal, onProgress?: (done: number) => void): Promise<Prediction> {
    const predicted = this.before.then(() => this.predictNow(pixels, signal, onProgress));
    this.before = predicted.catch(() => undefined);
    return predicted;
  }

  private async predictNow(
    pixels: Uint8Array,
    signal: AbortSignal | undefined,
    onProgress: ((done: number) => void) | undefined,
  ): Promise<Prediction> {
    const { classes, image } = this.network.spec;
    const imageSize = image.channels * image.height * image.width;
    const count = pixels.length / imageSize;
    if (!Number.isInteger(count)) {
      throw new ShapeError(`predict: ${pixels.length} pixels are no whole number of images of ${imageSize}`);
    }
    const labels = new Uint32Array(count);
    const probabilities = new Float32Array(count * classes);
    const [capacity] = this.tensors.images.shape;
    for (let start = 0; start < count; start += capacity) {
      const now = Math.min(capacity, count - start);
      writeTensor(this.tensors.images, pixels.subarray(start * imageSize, (start + now) * imageSize));
      writeTensor(this.tensors.position, [0]);
      await replay(this.recording, Math.ceil(now / this.batch), {
        signal,
        onProgress: (batches) => onProgress?.(start + Math.min(now, batches * this.batch)),
      });
      labels.set((await readTensor(this.tensors.labels)).subarray(0, now), start);
      probabilities.set((await readTensor(this.tensors.probabilities)).subarray(0, now * classes), start * classes);
    }
    return { labels, probabilities };
  }

  dispose(): void {
    this.recording.dispose();
    for (const tensor of Object.values<Tensor>({ ...this.tensors })) tensor.dispose();
  }
}

/** Records the network on a batch of the images from a position on, and counts that up. */
function recordPrediction(network: Network, tensors: PredictorTensors, batch: number): Promise<Recording<unknown>> {
  const { device, spec } = network;
  return record(device, (recorder) => {
    const { images, position, labels, probabilities } = tensors;
    const weight = slice(tensors.weight, 0, [batch]);
    const chosen = rangeIndices(recorder, position, batch, images.shape[0]);
    const blend = { first: chosen, second: chosen, weight };
    const input = blendImages(recorder, images, blend, { mean: spec.mean, std: spec.deviation });
    const { output } = network.forward({ recorder, training: false, seed: 0 }, input);
    scatterBatch(recorder, argmax(recorder, output), position, labels);
    scatterBatch(recorder, softmax(recorder, output), position, probabilities);
    advance(recorder, position);
  });
}

interface PredictorTensors {
  readonly images: Tensor<"u8">;
  readonly weight: Tensor<"u32">;
  readonly position: Tensor<"u32">;
  readonly labels: Tensor<"u32">;
  readonly probabilities: Tensor<"f32">;
}
