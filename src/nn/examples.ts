import { type Blend } from "../kernels/index.js";
import { createTensor, writeTensor, type Device, type Tensor } from "../tensor/index.js";

/**
 * Labelled images on the device: each is a blend of two of the real images, by their numbers and a weight, with a soft
 * label. A real image is a blend of itself with itself. Pixels are never stored: they are blended anew, to the same
 * 8 bits, wherever they are needed.
 */
export class Examples {
  readonly first: Tensor<"u32">;
  readonly second: Tensor<"u32">;
  /** Share of the first image, in 65536ths. */
  readonly weight: Tensor<"u32">;
  /** Soft labels, [capacity, classes]. */
  readonly targets: Tensor<"f32">;
  private used = 0;

  /**
   * @param images the real images, u8 [n, C, H, W]
   * @param capacity most examples that it will hold
   */
  constructor(
    readonly device: Device,
    readonly images: Tensor<"u8">,
    readonly capacity: number,
    readonly classes: number,
  ) {
    this.first = createTensor(device, [capacity], { dtype: "u32", name: "example first" });
    this.second = createTensor(device, [capacity], { dtype: "u32", name: "example second" });
    this.weight = createTensor(device, [capacity], { dtype: "u32", name: "example weight" });
    this.targets = createTensor(device, [capacity, classes], { name: "example targets" });
  }

  /** Number of examples. */
  get count(): number {
    return this.used;
  }

  /** The blends as the image kernel takes them. */
  get blend(): Blend {
    return { first: this.first, second: this.second, weight: this.weight };
  }

  /**
   * Replaces all examples.
   * @param blends as many as fit the capacity
   * @param targets soft labels one after the other, blends.length · classes
   */
  set(blends: readonly { first: number; second: number; weight: number }[], targets: Float32Array): void {
    writeTensor(
      this.first,
      Uint32Array.from(blends, ({ first }) => first),
    );
    writeTensor(
      this.second,
      Uint32Array.from(blends, ({ second }) => second),
    );
    writeTensor(
      this.weight,
      Uint32Array.from(blends, ({ weight }) => weight),
    );
    writeTensor(this.targets, targets);
    this.used = blends.length;
  }

  dispose(): void {
    for (const tensor of [this.first, this.second, this.weight, this.targets]) tensor.dispose();
  }
}
