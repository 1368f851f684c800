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
export { queryIdentity } from "./ledger/identity.js";
export { Ledger, type Images, type LedgerOptions, type LedgerQueryOptions } from "./ledger/ledger.js";
export * from "./ledger/store.js";
export { defaultDistillOptions, type DistillOptions } from "./options.js";
export { planDistill, planRounds } from "./plan.js";
export { checkClassNames, specFor } from "./network-spec.js";
export { Pool } from "./pool.js";
export { accuracyOf, fitLabelled, type LabelledFitOptions } from "./supervised.js";
export type { Phase, PhaseSeconds } from "./stopwatch.js";
export * from "./teacher/answer-form.js";
export { checkAnswer } from "./teacher/check-answer.js";
export { NetworkTeacher } from "./teacher/network-teacher.js";
export { openExecTeacher, openModuleTeacher, openOnnxTeacher } from "./teacher/open.js";
export type * from "./teacher/settings.js";
export * from "./teacher/teacher.js";
