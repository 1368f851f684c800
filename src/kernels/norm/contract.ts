import { InputError, ShapeError } from "../../errors.js";
import type { Device } from "../../tensor/device.js";
import { expectShape, formatShape, type Shape } from "../../tensor/shape.js";
import { expectDType, type Tensor } from "../../tensor/tensor.js";
import { channelChunks, channelSizes, type ChannelSizes } from "../reduce/channels.js";

/** Chunks of a channel whose results one invocation puts together. */
const MOST_CHUNKS = 256;

/** What a batch norm learns and what it has seen, each f32 [C]. */
export interface BatchNormState {
  /** Factor after normalising. */
  gamma: Tensor<"f32">;
  /** Summand after that. */
  beta: Tensor<"f32">;
  runningMean: Tensor<"f32">;
  runningVariance: Tensor<"f32">;
}

/**
 * Sizes of x [N, C] or [N, C, H, W] for a batch norm.
 * @throws ShapeError where x has fewer than two axes or one of `perChannel` is not [C], DTypeError where x or one of
 * those is not f32.
 */
export function batchNormSizes(
  operation: string,
  x: Tensor<"f32">,
  perChannel: Record<string, Tensor | undefined>,
): ChannelSizes {
  expectDType(operation, "x", x, "f32");
  const sizes = channelSizes(operation, "x", x.shape);
  for (const [what, tensor] of Object.entries(perChannel)) {
    if (!tensor) continue;
    expectDType(operation, what, tensor, "f32");
    expectShape(operation, what, tensor.shape, [sizes.channels]);
  }
  return sizes;
}

/**
 * Elements of one channel, N · H · W.
 * @throws ShapeError where that is 1, of which there is no variance.
 */
export function trainingCount(operation: string, x: Shape, { samples, positions }: ChannelSizes): number {
  const count = samples * positions;
  if (count < 2) {
    throw new ShapeError(
      `${operation}: x is ${formatShape(x)} with one element a channel; expected at least 2: use a larger batch`,
    );
  }
  return count;
}

/**
 * Requires how far running statistics move, a share.
 * @throws InputError where it is not in [0, 1].
 */
export function expectMomentum(operation: string, momentum: number): void {
  if (!(momentum >= 0 && momentum <= 1)) {
    throw new InputError(`${operation}: momentum is ${momentum}; expected a number from 0 to 1`);
  }
}

/** Chunks into which a channel of `count` elements is split on a device. */
export function batchNormChunks(device: Device, count: number): number {
  return Math.min(channelChunks(device, count), MOST_CHUNKS);
}
