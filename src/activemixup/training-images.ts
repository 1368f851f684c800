import { bytesPerImage, type ImageSet } from "../data/index.js";
import { WHOLE_WEIGHT } from "../kernels/index.js";
import { createTensor, slice, writeTensor, type Device, type Tensor } from "../tensor/index.js";
import { lambdaWeight, type MixedPair } from "./blend.js";

/** An example by the rows of the table, as the image kernel takes it. */
export interface Example {
  readonly first: number;
  readonly second: number;
  /** Share of the first, in 65536ths. */
  readonly weight: number;
}

/**
 * The images on the device of which the student's examples are made: the real ones, and behind them those that are no
 * plain blends of real ones, in the very pixels that the teacher was shown.
 */
export class TrainingImages {
  /** u8 [n + kept, C, H, W]. */
  readonly tensor: Tensor<"u8">;
  private readonly size: number;
  private readonly pixels: Uint8Array;
  private used: number;
  private stale = false;

  /** @param kept most images that are no blends of real ones */
  constructor(
    device: Device,
    private readonly images: ImageSet,
    kept: number,
  ) {
    const { count, channels, height, width } = images;
    this.size = bytesPerImage(images);
    this.used = count;
    const shape = [count + kept, channels, height, width];
    this.tensor = createTensor(device, shape, { dtype: "u8", data: images.pixels, name: "training images" });
    this.pixels = new Uint8Array(kept > 0 ? (count + kept) * this.size : 0);
    this.pixels.set(kept > 0 ? images.pixels : []);
  }

  /** The real images alone, u8 [n, C, H, W]. */
  get real(): Tensor<"u8"> {
    const { count, channels, height, width } = this.images;
    return slice(this.tensor, 0, [count, channels, height, width]);
  }

  /** Puts an image behind the others; returns the number of its row. */
  keep(pixels: Uint8Array): number {
    this.pixels.set(pixels, this.used * this.size);
    this.stale = true;
    return this.used++;
  }

  /** Sends what was added to the device. */
  upload(): void {
    if (this.stale) writeTensor(this.tensor, this.pixels.subarray(0, this.used * this.size));
    this.stale = false;
  }

  dispose(): void {
    this.tensor.dispose();
  }
}

/** A blend of real images as an example. */
export function exampleOfBlend({ first, second, lambda }: MixedPair): Example {
  return { first, second, weight: lambdaWeight(lambda) };
}

/** A kept image as an example. */
export function exampleOfRow(row: number): Example {
  return { first: row, second: row, weight: WHOLE_WEIGHT };
}
