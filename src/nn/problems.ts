import { problemsOf, softmaxCrossEntropy } from "../kernels/index.js";
import { Recorder, type Problem } from "../tensor/index.js";
import type { Network } from "./network.js";

/** Numbers of images that a network is used on at once. */
export interface Batches {
  /** In training steps. */
  readonly training: readonly number[];
  /** In forward passes: prediction and scoring. */
  readonly inference: readonly number[];
}

/**
 * What tuning can measure of a network's training steps and forward passes: its problems with more than one candidate.
 * Nothing is compiled or run.
 */
export function networkProblems(network: Network, { training, inference }: Batches): Problem[] {
  const { device, spec } = network;
  const { channels, height, width } = spec.image;
  const recorder = new Recorder(device);
  const images = (batch: number) => recorder.temporary([batch, channels, height, width], "images");
  for (const batch of training) {
    const step = recorder.temporary([1], "step", "u32");
    const { output, backward } = network.forward({ recorder, training: true, seed: 0, step }, images(batch));
    const targets = recorder.temporary([batch, spec.classes], "targets");
    backward(softmaxCrossEntropy(recorder, output, targets).gradient, false);
  }
  for (const batch of inference) network.forward({ recorder, training: false, seed: 0 }, images(batch));
  return problemsOf(recorder.launches);
}
