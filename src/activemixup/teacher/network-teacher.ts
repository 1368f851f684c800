import { Predictor, type ImageShape, type Network } from "../../nn/index.js";
import { expectImageShape } from "./image-shape.js";
import { expectNames } from "./reading.js";
import { localManner, type QueryBatch, type Teacher } from "./teacher.js";

/** A network of this engine in the role of the teacher. */
export class NetworkTeacher implements Teacher {
  readonly manner = localManner;

  private constructor(
    private readonly network: Network,
    private readonly predictor: Predictor,
    readonly name: string,
    readonly classNames: readonly string[] | undefined,
  ) {}

  /**
   * @param name tells it apart in ledgers and errors: the file, with a digest of what it holds
   * @param classNames those of the network, where absent
   * @throws InputError where there are other than one a class, or they are the network's own in another order
   */
  static async create(network: Network, name: string, classNames?: readonly string[]): Promise<NetworkTeacher> {
    const { spec } = network;
    if (classNames) expectNames(`the teacher ${name}`, spec.classes, classNames, spec.classNames);
    const predictor = await Predictor.create(network, localManner.batch);
    return new NetworkTeacher(network, predictor, name, classNames ?? spec.classNames);
  }

  get classes(): number {
    return this.network.spec.classes;
  }

  /** @throws InputError where the images are not of the shape that the network takes. */
  async query(batch: QueryBatch, signal?: AbortSignal): Promise<Float32Array[]> {
    this.checkShape(batch);
    const { probabilities } = await this.predictor.predict(batch.pixels, signal);
    return Array.from({ length: batch.count }, (_, image) =>
      probabilities.slice(image * this.classes, (image + 1) * this.classes),
    );
  }

  /** @throws InputError where images of this shape cannot be asked about. */
  checkShape(images: ImageShape): void {
    expectImageShape(this.name, this.network.spec.image, images);
  }

  /** Disposes of the network too. */
  dispose(): void {
    this.predictor.dispose();
    this.network.dispose();
  }
}
