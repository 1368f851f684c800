import { hostArray } from "../../tensor/cpu/device.js";
import type { Recorder } from "../../tensor/recording.js";
import type { Tensor } from "../../tensor/tensor.js";
import { expectNotNegative } from "../expect.js";
import { batchNormChunks, batchNormSizes, expectMomentum, trainingCount, type BatchNormState } from "./contract.js";
import { planMoments, planNormalise, planStatistics } from "./plan.js";
import { momentsReference, normaliseReference, statisticsReference } from "./reference.js";

/** How a batch is normalised, and what follows. */
export interface BatchNormEvaluateOptions {
  /** Added to the variance; 1e-5 where absent. */
  epsilon?: number;
  /** Apply max(0, ·) to the result. */
  relu?: boolean;
}

/** As {@link BatchNormEvaluateOptions}, and how running statistics move. */
export interface BatchNormTrainOptions extends BatchNormEvaluateOptions {
  /** How far the running statistics move towards the batch's, 0 to 1; 0.1 where absent. */
  momentum?: number;
}

/** The statistics of a batch that the gradient needs, each f32 [C]. */
export interface BatchStatistics {
  readonly mean: Tensor<"f32">;
  /** 1 / √(variance + epsilon). */
  readonly inverseDeviation: Tensor<"f32">;
}

/**
 * Batch normalisation with the batch's own statistics (Ioffe and Szegedy, 2015), followed by relu where asked: x is [N, C] or [N, C, H, W], `out`
 * has its shape, mean and variance are taken over N · H · W. Moves the running statistics in place, as PyTorch does:
 * towards the mean and the unbiased variance. Two passes over x; the same bits each time.
 * @throws ShapeError where the shapes do not fit or a channel has one element, DTypeError where a tensor is not f32,
 * InputError where `momentum` is not in [0, 1] or `epsilon` is negative.
 */
export function batchNormTrain(
  recorder: Recorder,
  x: Tensor<"f32">,
  state: BatchNormState,
  options: BatchNormTrainOptions = {},
): BatchStatistics & { readonly out: Tensor<"f32"> } {
  const { momentum = 0.1, epsilon = 1e-5, relu = false } = options;
  const { gamma, beta, runningMean, runningVariance } = state;
  const kernel = "batchNormTrain";
  expectMomentum(kernel, momentum);
  expectNotNegative(kernel, "epsilon", epsilon);
  const sizes = batchNormSizes(kernel, x, { gamma, beta, runningMean, runningVariance });
  const { channels } = sizes;
  const count = trainingCount(kernel, x.shape, sizes);
  const chunks = batchNormChunks(recorder.device, count);

  const means = recorder.temporary([channels, chunks], "batchNorm means");
  const squares = recorder.temporary([channels, chunks], "batchNorm squares");
  recorder.add({
    kernel: `${kernel} moments`,
    reads: [x],
    writes: [means, squares],
    reference: () => {
      momentsReference(hostArray(x), hostArray(means), hostArray(squares), sizes);
    },
    plan: () => planMoments(sizes, chunks),
  });

  const mean = recorder.temporary([channels], "batchNorm mean");
  const inverseDeviation = recorder.temporary([channels], "batchNorm inverseDeviation");
  recorder.add({
    kernel: `${kernel} statistics`,
    reads: [means, squares],
    writes: [mean, inverseDeviation, runningMean, runningVariance],
    reference: () => {
      const arrays = {
        means: hostArray(means),
        squares: hostArray(squares),
        mean: hostArray(mean),
        inverseDeviation: hostArray(inverseDeviation),
        runningMean: hostArray(runningMean),
        runningVariance: hostArray(runningVariance),
      };
      statisticsReference(arrays, count, momentum, epsilon);
    },
    plan: () => planStatistics(sizes, chunks, momentum, epsilon),
  });

  const out = recorder.temporary(x.shape, "batchNorm");
  recorder.add({
    kernel: `${kernel} normalise`,
    reads: [x, mean, inverseDeviation, gamma, beta],
    writes: [out],
    reference: () => {
      const arrays = [x, mean, inverseDeviation, gamma, beta, out].map((tensor) => hostArray(tensor));
      const [xs, meanOf, deviations, gammas, betas, outs] = arrays;
      normaliseReference(xs, meanOf, deviations, gammas, betas, outs, sizes, relu);
    },
    plan: (capabilities) => planNormalise(sizes, { fromVariance: false, relu, epsilon }, capabilities),
  });
  return { out, mean, inverseDeviation };
}

/**
 * Batch normalisation with the running statistics, followed by relu where asked: x is [N, C] or [N, C, H, W], the
 * result has its shape. One pass over x.
 * @throws ShapeError where the shapes do not fit, DTypeError where a tensor is not f32, InputError where `epsilon` is
 * negative.
 */
export function batchNormEvaluate(
  recorder: Recorder,
  x: Tensor<"f32">,
  state: BatchNormState,
  options: BatchNormEvaluateOptions = {},
): Tensor<"f32"> {
  const { epsilon = 1e-5, relu = false } = options;
  const { gamma, beta, runningMean, runningVariance } = state;
  const kernel = "batchNormEvaluate";
  expectNotNegative(kernel, "epsilon", epsilon);
  const sizes = batchNormSizes(kernel, x, { gamma, beta, runningMean, runningVariance });
  const out = recorder.temporary(x.shape, kernel);
  recorder.add({
    kernel,
    reads: [x, runningMean, runningVariance, gamma, beta],
    writes: [out],
    reference: () => {
      const deviations = Float64Array.from(hostArray(runningVariance), (variance) => 1 / Math.sqrt(variance + epsilon));
      const [xs, meanOf, gammas, betas, outs] = [x, runningMean, gamma, beta, out].map((tensor) => hostArray(tensor));
      normaliseReference(xs, meanOf, deviations, gammas, betas, outs, sizes, relu);
    },
    plan: (capabilities) => planNormalise(sizes, { fromVariance: true, relu, epsilon }, capabilities),
  });
  return out;
}
