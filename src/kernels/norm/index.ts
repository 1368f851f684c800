export { batchNormBackward, type BatchNormBackwardTarget, type BatchNormGradients } from "./backward.js";
export { batchNormChunks, batchNormSizes, type BatchNormState } from "./contract.js";
export {
  batchNormEvaluate,
  batchNormTrain,
  type BatchNormEvaluateOptions,
  type BatchNormTrainOptions,
  type BatchStatistics,
} from "./forward.js";
export { planInputGradient, planMoments, planNormalise, planParameterGradient, planStatistics } from "./plan.js";
export {
  inputGradientReference,
  momentsReference,
  normaliseReference,
  parameterGradientReference,
  statisticsReference,
} from "./reference.js";
