import { InputError } from "../errors.js";
import { WHOLE_WEIGHT, type Blend } from "../kernels/index.js";
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
   * @param blends as many as fit the capacity: numbers of two images, and the first one's share in 65536ths, 0 to 65536
   * @param targets soft labels one after the other, blends.length · classes
   * @throws InputError where one of these is out of range; nothing is replaced then
   */
  set(blends: readonly { first: number; second: number; weight: number }[], targets: Float32Array): void {
    this.check(blends, targets);
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

  private check(blends: readonly { first: number; second: number; weight: number }[], targets: Float32Array): void {
    const { capacity, classes } = this;
    if (blends.length > capacity) throw new InputError(`examples: ${blends.length}; there is room for ${capacity}`);
    if (targets.length !== blends.length * classes) {
      throw new InputError(
        `examples: ${targets.length} numbers in targets; expected ${classes} for each of ${blends.length} blends`,
      );
    }
    const [images] = this.images.shape;
    const isWhole = (value: number, most: number) => Number.isInteger(value) && value >= 0 && value <= most;
    for (const [index, { first, second, weight }] of blends.entries()) {
      if (isWhole(first, images - 1) && isWhole(second, images - 1) && isWhole(weight, WHOLE_WEIGHT)) continue;
      throw new InputError(
        `examples: blend ${index} is of images ${first} and ${second} with weight ${weight}; expected whole numbers ` +
          `below ${images}, and a weight up to ${WHOLE_WEIGHT}`,
      );
    }
  }

  dispose(): void {
    for (const tensor of [this.first, this.second, this.weight, this.targets]) tensor.dispose();
  }
}
