/** Modules, networks, training, prediction, weights on disk. */
export { Examples } from "./examples.js";
export * from "./initialise.js";
export { BatchNorm } from "./layers/batch-norm.js";
export { Residual, Sequential } from "./layers/containers.js";
export { Conv2d, type Conv2dLayerOptions } from "./layers/conv2d.js";
export { Linear } from "./layers/linear.js";
export { AvgPool2d, Dropout, Flatten, GlobalAvgPool, MaxPool2d, ReLU, type Window } from "./layers/simple.js";
export {
  hasDropout,
  namedParameters,
  Parameter,
  writeModule,
  type Activation,
  type FeatureActivation,
  type Initialiser,
  type LinearStart,
  type Module,
  type ParameterRole,
  type OperatorGraph,
  type Pass,
} from "./module.js";
export { Network, type NetworkSpec, type NetworkState } from "./network.js";
export { decodeNetwork, encodeNetwork, encodeState } from "./network-file.js";
export { architectures, buildModule, defineNetwork, type BuildNetwork, type ImageShape } from "./networks/index.js";
export { importWeights, type ImportedWeights, type WeightsAbout } from "./import-weights.js";
export * from "./onnx/index.js";
export { Optimizer, paperSgd, plainAdam, type OptimizerOptions } from "./optimizer.js";
export { networkProblems, type Batches } from "./problems.js";
export { Predictor, type Prediction } from "./predictor.js";
export {
  decodeSafetensors,
  encodeSafetensors,
  type SafetensorsDType,
  type SafetensorsFile,
  type SafetensorsTensor,
} from "./safetensors.js";
export * from "./schedule.js";
export { Trainer, type Augmentation, type FitOptions, type TrainerOptions } from "./trainer.js";
export { orderOf, type Emphasis, type ExampleOrder } from "./example-order.js";
