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
export { Ledger, type LedgerOptions } from "./ledger/ledger.js";
export * from "./ledger/store.js";
export { defaultDistillOptions, type DistillOptions } from "./options.js";
export { planDistill, planRounds } from "./plan.js";
export { checkClassNames, specFor } from "./network-spec.js";
export { Pool } from "./pool.js";
export { accuracyOf, fitLabelled, type LabelledFitOptions } from "./supervised.js";
export type { Phase, PhaseSeconds } from "./stopwatch.js";
export * from "./teacher/answer-form.js";
export { checkAnswer } from "./teacher/check-answer.js";
export { openHttpTeacher, type HttpTeacherOptions } from "./teacher/http/open.js";
export type { Description, Question, Reply } from "./teacher/http/protocol.js";
export { NetworkTeacher } from "./teacher/network-teacher.js";
export { oneLine, redact, type Environment } from "./teacher/secrets.js";
export type * from "./teacher/settings.js";
export { parseLabels, parseTeacherSettings } from "./teacher/settings-file.js";
export * from "./teacher/teacher.js";
