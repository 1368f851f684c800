/**
 * The verbs, and what their arguments are. What else a family's own index has, plans, references, the choice of variants,
 * is for the project's tests and benchmarks; of that kind are here `planRuns`, `linearGrid`, `composeOnHost` and
 * `blendPixel` alone.
 */
export {
  matmul,
  type MatmulOptions,
  matmulSizes,
  type MatmulSizes,
  type MatmulTarget,
  type MatmulVariant,
} from "./matmul/index.js";
export { matmulHalf, type MatmulHalfTarget, type MatmulHalfVariant } from "./matmul-half/index.js";
export { toFloat, toHalf } from "./half/index.js";
export { batchIndices, gatherRows, rangeIndices, scatterBatch, type WordType } from "./gather/index.js";
export { advance } from "./step/index.js";
export {
  conv2d,
  conv2dInputGradient,
  type Conv2dOptions,
  conv2dShape,
  conv2dSizes,
  type Conv2dSizes,
  type Conv2dTarget,
  type Conv2dVariant,
  conv2dWeightGradient,
} from "./conv2d/index.js";
export { max, type Reduction, sum, sumChannels } from "./reduce/index.js";
export {
  add,
  dropout,
  dropoutBackward,
  type DropoutOptions,
  dropoutScale,
  relu,
  reluBackward,
} from "./activation/index.js";
export {
  accumulateMean,
  argmax,
  countEqual,
  type CrossEntropyOptions,
  softmax,
  softmaxCrossEntropy,
} from "./loss/index.js";
export {
  avgPool2d,
  avgPool2dBackward,
  globalAvgPool,
  globalAvgPoolBackward,
  maxPool2d,
  maxPool2dBackward,
  type MaxPool2dOptions,
  type Pool2dOptions,
  pool2dShape,
} from "./pool/index.js";
export {
  adam,
  type AdamOptions,
  type AdamState,
  averageParameters,
  type AverageOptions,
  type Schedule,
  sgd,
  type SgdOptions,
  type SgdState,
} from "./optimizer/index.js";
export {
  type AugmentDraw,
  type AugmentOptions,
  blend,
  type Blend,
  blendFeatures,
  type BlendFeaturesOptions,
  blendImages,
  type BlendImagesOptions,
  blendPixel,
  blendPixels,
  candidateBlends,
  type CandidateOptions,
  drawAugment,
  drawLambda,
  type FeaturePool,
  MOST_PAIRED_IMAGES,
  pairCount,
  pairNumber,
  pairOf,
  WHOLE_WEIGHT,
} from "./mixup/index.js";
export {
  AFFINE_WORDS,
  composeImages,
  composeOnHost,
  type Composition,
  drawWarps,
  type DrawWarpsOptions,
  type HostComposition,
  type Normalisation,
  WARP_WORDS,
  warpBlends,
  type WarpRanges,
} from "./warp/index.js";
export {
  batchNormBackward,
  type BatchNormBackwardTarget,
  batchNormEvaluate,
  type BatchNormEvaluateOptions,
  type BatchNormGradients,
  type BatchNormState,
  batchNormTrain,
  type BatchNormTrainOptions,
  type BatchStatistics,
} from "./norm/index.js";
export {
  addBelief,
  type Belief,
  scoreBelief,
  type ScoreName,
  scoreNames,
  type ScoreNoise,
  scorePairs,
  type ScorePairsOptions,
  type ScoreTable,
  selectLowest,
} from "./select/index.js";
export {
  embedGradients,
  type EmbedGradientsOptions,
  embeddingShape,
  type EmbeddingSizes,
  pickSeed,
  type PickSeedOptions,
} from "./seeding/index.js";
export {
  decodeTuning,
  defaultSampling,
  encodeTuning,
  type Measured,
  millisecondsOf,
  problemsOf,
  rememberedVariants,
  type Sampling,
  type Timing,
  tune,
  type TuneOptions,
  type Tuning,
  tuningKey,
  type TuningKey,
  variantsOf,
  winnerOf,
  withMeasured,
} from "./tune/index.js";
export { linearGrid } from "./grid.js";
export { output, type Target } from "./output.js";
export { planRuns } from "./run.js";
export type { TiledVariant } from "./gemm/tile.js";
export type { MatrixVariant } from "./matmul-half/matrix-tile.js";
export type { ThinVariant } from "./matmul/thin.js";
