/** The method: active mixup. */
export * from "./acquisition/index.js";
export { blendOnHost, lambdaWeight, paperLambdas, type MixedPair } from "./blend.js";
export {
  distill,
  type AnsweredQuery,
  type DistillInput,
  type DistillObserver,
  type DistillReport,
  type RoundReport,
} from "./distill.js";
export { Evaluation, largest, share, type Score } from "./evaluation.js";
export { checkProbabilities, Ledger } from "./ledger.js";
export { defaultDistillOptions, type DistillOptions } from "./options.js";
export { planDistill, planRounds } from "./plan.js";
export { checkClassNames, specFor } from "./network-spec.js";
export { Pool } from "./pool.js";
export { accuracyOf, fitLabelled, type LabelledFitOptions } from "./supervised.js";
export type { Phase, PhaseSeconds } from "./stopwatch.js";
export { NetworkTeacher, type ImageBatch, type Teacher } from "./teacher.js";
