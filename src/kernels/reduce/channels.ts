import { ShapeError } from "../../errors.js";
import type { Device } from "../../tensor/device.js";
import { formatShape, type Shape } from "../../tensor/shape.js";

/** A tensor [N, C, …] seen as `samples` × `channels` × `positions`, the last contiguous. */
export interface ChannelSizes {
  readonly samples: number;
  readonly channels: number;
  readonly positions: number;
}

/** Elements that one invocation walks over, more or less: short enough for f32 sums to stay accurate. */
export const CHUNK = 256;

/**
 * Sizes of `shape` [N, C, …rest]; `positions` is the product of the rest.
 * @throws ShapeError where there are fewer than two axes.
 */
export function channelSizes(operation: string, what: string, shape: Shape): ChannelSizes {
  if (shape.length < 2) {
    throw new ShapeError(`${operation}: ${what} is ${formatShape(shape)}; expected at least 2 axes (N C …)`);
  }
  const [samples, channels, ...rest] = shape;
  return { samples, channels, positions: rest.reduce((product, length) => product * length, 1) };
}

/**
 * Chunks into which each channel of `count` elements is split, so that a GPU has work for many invocations. The CPU
 * reference takes a channel in one go.
 */
export function channelChunks(device: Device, count: number): number {
  return device.info.kind === "cpu" ? 1 : Math.ceil(count / CHUNK);
}

/** The parameters that channels.wgsl reads, in its order. */
export function channelParams({ samples, channels, positions }: ChannelSizes, chunks: number): number[] {
  return [samples * positions, channels, positions, chunks, Math.floor(chunks / positions), chunks % positions];
}
