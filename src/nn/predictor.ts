import { ShapeError } from "../errors.js";
import { advance, argmax, blendImages, rangeIndices, scatterBatch, softmax, WHOLE_WEIGHT } from "../kernels/index.js";
import { createTensor, readTensor, record, replay, writeTensor, type Recording, type Tensor } from "../tensor/index.js";
import type { Network } from "./network.js";

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
  private constructor(
    private readonly network: Network,
    private readonly capacity: number,
    private readonly batch: number,
    private readonly tensors: PredictorTensors,
    private readonly recording: Recording<unknown>,
  ) {}

  /** @param capacity images that are on the device at once; more are taken in turns */
  static async create(network: Network, capacity: number): Promise<Predictor> {
    const { device, spec } = network;
    const batch = Math.min(BATCH, capacity);
    const { channels, height, width } = spec.image;
    const tensors: PredictorTensors = {
      images: createTensor(device, [capacity, channels, height, width], { dtype: "u8", name: "images" }),
      weight: createTensor(device, [batch], {
        dtype: "u32",
        data: new Uint32Array(batch).fill(WHOLE_WEIGHT),
        name: "whole weight",
      }),
      position: createTensor(device, [1], { dtype: "u32", name: "position" }),
      labels: createTensor(device, [capacity], { dtype: "u32", name: "labels" }),
      probabilities: createTensor(device, [capacity, spec.classes], { name: "probabilities" }),
    };
    const recording = await record(device, (recorder) => {
      const { images, weight, position, labels, probabilities } = tensors;
      const chosen = rangeIndices(recorder, position, batch, capacity);
      const blend = { first: chosen, second: chosen, weight };
      const input = blendImages(recorder, images, blend, { mean: spec.mean, std: spec.deviation });
      const { output } = network.forward({ recorder, training: false, seed: 0 }, input);
      scatterBatch(recorder, argmax(recorder, output), position, labels);
      scatterBatch(recorder, softmax(recorder, output), position, probabilities);
      advance(recorder, position);
    });
    return new Predictor(network, capacity, batch, tensors, recording);
  }

  /**
   * Predicts images.
   * @param pixels 8-bit values, N C H W, of the network's image shape
   * @param onProgress hears how many images are done
   * @throws ShapeError where they are no whole number of images.
   */
  async predict(pixels: Uint8Array, signal?: AbortSignal, onProgress?: (done: number) => void): Promise<Prediction> {
    const { classes, image } = this.network.spec;
    const imageSize = image.channels * image.height * image.width;
    const count = pixels.length / imageSize;
    if (!Number.isInteger(count)) {
      throw new ShapeError(`predict: ${pixels.length} pixels are no whole number of images of ${imageSize}`);
    }
    const labels = new Uint32Array(count);
    const probabilities = new Float32Array(count * classes);
    for (let start = 0; start < count; start += this.capacity) {
      const now = Math.min(this.capacity, count - start);
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

interface PredictorTensors {
  readonly images: Tensor<"u8">;
  readonly weight: Tensor<"u32">;
  readonly position: Tensor<"u32">;
  readonly labels: Tensor<"u32">;
  readonly probabilities: Tensor<"f32">;
}
