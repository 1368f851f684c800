import { hostArray } from "../../tensor/cpu/device.js";
import type { Recorder } from "../../tensor/recording.js";
import { expectShape } from "../../tensor/shape.js";
import { expectDType, type Tensor } from "../../tensor/tensor.js";
import { sumChannels } from "../reduce/index.js";
import { batchNormChunks, batchNormSizes, trainingCount } from "./contract.js";
import type { BatchStatistics } from "./forward.js";
import { planInputGradient, planParameterGradient } from "./plan.js";
import { inputGradientReference, parameterGradientReference } from "./reference.js";

/** Where the parameters' gradients go, each f32 [C]; intermediates where absent. */
export interface BatchNormBackwardTarget {
  gammaGradient?: Tensor<"f32">;
  betaGradient?: Tensor<"f32">;
}

/** The gradients of a batch norm; the parameters' are f32 [C]. */
export interface BatchNormGradients {
  /** By x, of its shape. */
  readonly dX: Tensor<"f32">;
  readonly gammaGradient: Tensor<"f32">;
  readonly betaGradient: Tensor<"f32">;
}

/**
 * The gradients of {@link batchNormTrain}: x and `dOut` are [N, C] or [N, C, H, W], `gamma` [C], the statistics those
 * that batchNormTrain returned for x. Two passes over x and `dOut`; the same bits each time.
 * @throws ShapeError where the shapes do not fit or a channel has one element, DTypeError where a tensor is not f32.
 */
export function batchNormBackward(
  recorder: Recorder,
  x: Tensor<"f32">,
  dOut: Tensor<"f32">,
  gamma: Tensor<"f32">,
  { mean, inverseDeviation }: BatchStatistics,
  target: BatchNormBackwardTarget = {},
): BatchNormGradients {
  const kernel = "batchNormBackward";
  const perChannel = { gamma, mean, inverseDeviation };
  const sizes = batchNormSizes(kernel, x, {
    ...perChannel,
    gammaGradient: target.gammaGradient,
    betaGradient: target.betaGradient,
  });
  expectDType(kernel, "dOut", dOut, "f32");
  expectShape(kernel, "dOut", dOut.shape, x.shape);
  const { channels } = sizes;
  const chunks = batchNormChunks(recorder.device, trainingCount(kernel, x.shape, sizes));
  const gammaGradient = target.gammaGradient ?? recorder.temporary([channels], "batchNorm gammaGradient");
  const betaGradient = target.betaGradient ?? recorder.temporary([channels], "batchNorm betaGradient");

  const arrays = () => ({
    x: hostArray(x),
    dOut: hostArray(dOut),
    mean: hostArray(mean),
    inverseDeviation: hostArray(inverseDeviation),
  });

  const split = chunks > 1;
  const byGamma = split ? recorder.temporary([1, channels, chunks], "batchNorm by gamma") : gammaGradient;
  const byBeta = split ? recorder.temporary([1, channels, chunks], "batchNorm by beta") : betaGradient;
  recorder.add({
    kernel: `${kernel} parameters`,
    reads: [x, dOut, mean, inverseDeviation],
    writes: [byGamma, byBeta],
    reference: () => {
      parameterGradientReference(arrays(), hostArray(byGamma), hostArray(byBeta), sizes);
    },
    plan: () => planParameterGradient(sizes, chunks),
  });
  if (split) {
    sumChannels(recorder, byGamma, { out: gammaGradient });
    sumChannels(recorder, byBeta, { out: betaGradient });
  }

  const dX = recorder.temporary(x.shape, kernel);
  recorder.add({
    kernel: `${kernel} input`,
    reads: [x, dOut, mean, inverseDeviation, gamma, gammaGradient, betaGradient],
    writes: [dX],
    reference: () => {
      const [gammas, gammaGradients, betaGradients, dXs] = [gamma, gammaGradient, betaGradient, dX].map((tensor) =>
        hostArray(tensor),
      );
      inputGradientReference(arrays(), gammas, gammaGradients, betaGradients, dXs, sizes);
    },
    plan: (capabilities) => planInputGradient(sizes, capabilities),
  });
  return { dX, gammaGradient, betaGradient };
}
