import { InputError } from "../errors.js";
import { Predictor, type ImageShape, type Network } from "../nn/index.js";

/** 8-bit images for the teacher. */
export interface ImageBatch extends ImageShape {
  readonly count: number;
  /** N C H W, 0 to 255. */
  readonly pixels: Uint8Array;
}

/** The black box: images in, class probabilities out. The method sees nothing else of it. */
export interface Teacher {
  readonly classes: number;
  /** Probabilities of the classes for each image, [count, classes] row by row; each row sums to 1. */
  query(batch: ImageBatch, signal?: AbortSignal): Promise<Float32Array>;
}

/** A network of this engine in the role of the teacher. */
export class NetworkTeacher implements Teacher {
  private constructor(
    private readonly network: Network,
    private readonly predictor: Predictor,
    private readonly name: string,
  ) {}

  /** @param name of the file, for errors */
  static async create(network: Network, name: string): Promise<NetworkTeacher> {
    return new NetworkTeacher(network, await Predictor.create(network, 1024), name);
  }

  get classes(): number {
    return this.network.spec.classes;
  }

  /** @throws InputError where the images are not of the shape that the network takes. */
  async query(batch: ImageBatch, signal?: AbortSignal): Promise<Float32Array> {
    this.checkShape(batch);
    return (await this.predictor.predict(batch.pixels, signal)).probabilities;
  }

  /** @throws InputError where images of this shape cannot be asked about. */
  checkShape(images: ImageShape): void {
    const { channels, height, width } = this.network.spec.image;
    if (images.channels !== channels || images.height !== height || images.width !== width) {
      throw new InputError(
        `the teacher ${this.name} takes images of ${channels} × ${height} × ${width}; ` +
          `these are ${images.channels} × ${images.height} × ${images.width}: give images of the teacher's size`,
      );
    }
  }

  dispose(): void {
    this.predictor.dispose();
    this.network.dispose();
  }
}
