import { hostArray } from "../../tensor/cpu/device.js";
import type { Recorder } from "../../tensor/recording.js";
import { expectDType, type Tensor } from "../../tensor/tensor.js";
import { output, type Target } from "../output.js";
import { channelChunks, channelSizes, type ChannelSizes } from "./channels.js";
import { planReduce, type Reduction } from "./plan.js";
import { maxReference, sumReference } from "./reference.js";

export { channelSizes, type ChannelSizes } from "./channels.js";
export { planReduce, type Reduction } from "./plan.js";
export { maxReference, sumReference } from "./reference.js";

/**
 * Σ over every axis of x but the second: x is [N, C, …], the result [C], f32. The gradient of a bias that was added
 * to each channel. The same bits each time.
 * @throws ShapeError where x has fewer than two axes or `out` is not [C], DTypeError where one of them is not f32.
 */
export function sumChannels(recorder: Recorder, x: Tensor<"f32">, target: Target = {}): Tensor<"f32"> {
  return reduce(recorder, "sumChannels", "sum", x, channelSizes("sumChannels", "x", x.shape), target);
}

/**
 * Σ of all elements of x, as f32 [1].
 * @throws ShapeError where `out` is not [1], DTypeError where x or `out` is not f32.
 */
export function sum(recorder: Recorder, x: Tensor<"f32">, target: Target = {}): Tensor<"f32"> {
  return reduce(recorder, "sum", "sum", x, { samples: 1, channels: 1, positions: x.size }, target);
}

/**
 * The largest element of x, as f32 [1]; NaN where x holds a NaN.
 * @throws ShapeError where `out` is not [1], DTypeError where x or `out` is not f32.
 */
export function max(recorder: Recorder, x: Tensor<"f32">, target: Target = {}): Tensor<"f32"> {
  return reduce(recorder, "max", "max", x, { samples: 1, channels: 1, positions: x.size }, target);
}

/** Passes over ever fewer numbers a channel, until one is left: one pass up to 256 elements, two up to 65,536. */
function reduce(
  recorder: Recorder,
  kernel: string,
  reduction: Reduction,
  x: Tensor<"f32">,
  sizes: ChannelSizes,
  target: Target,
): Tensor<"f32"> {
  expectDType(kernel, "x", x, "f32");
  const { channels } = sizes;
  const result = output(recorder, kernel, [channels], target);
  const chunks = channelChunks(recorder.device, sizes.samples * sizes.positions);
  const last = chunks === 1;
  const out = last ? result : recorder.temporary([channels, chunks], `${kernel} partial`);
  const reference = reduction === "sum" ? sumReference : maxReference;
  recorder.add({
    kernel,
    reads: [x],
    writes: [out],
    reference: () => {
      reference(hostArray(x), hostArray(out), sizes);
    },
    plan: () => planReduce(reduction, sizes, chunks),
  });
  return last
    ? out
    : reduce(recorder, kernel, reduction, out, { samples: 1, channels, positions: chunks }, { out: result });
}
