/** The method: active mixup. */
export * from "./acquisition/index.js";
export * from "./candidates/index.js";
export type { Belief, BeliefMeans } from "./beliefs.js";
export { blendOnHost, lambdaWeight, paperLambdas, type MixedPair } from "./blend.js";
export { likeliest, type ClassShare, type Compared, type Comparison, type Difference } from "./comparison.js";
export { distill } from "./distill.js";
export type { DistillInput, DistillObserver } from "./distill-input.js";
export { Evaluation, largest, share, type Score } from "./evaluation.js";
export { divergence, holdOut, holdoutSize, splitHoldout, type HoldoutScore } from "./holdout.js";
export { queryIdentity } from "./ledger/identity.js";
export {
  Ledger,
  type Images,
  type LedgerOptions,
  type LedgerQueryOptions,
  type Missing,
  type TeacherAccount,
} from "./ledger/ledger.js";
export type { FileStoreOptions } from "./ledger/file-store.node.js";
export { openFileStore } from "./ledger/open-store.js";
export { Panel } from "./ledger/panel.js";
export * from "./ledger/store.js";
export { defaultDistillOptions, type DistillOptions } from "./options.js";
export { mostSteps, planDistill, planRounds, stepsOf, type DistillPlanInput } from "./plan.js";
export { checkClassNames, specFor } from "./network-spec.js";
export { recipes, type Recipe, type RecipeName } from "./recipes.js";
export type * from "./report.js";
export { estimateMean, estimateShare, type Estimate } from "./statistics.js";
export { bestRound, endOfAsking, stopReason, type Outlook } from "./run/stopping.js";
export { accuracyOf, fitLabelled, type LabelledFitObserver, type LabelledFitOptions } from "./supervised.js";
export type { Phase, PhaseSeconds } from "./stopwatch.js";
export { studentSeed } from "./student-seed.js";
export * from "./teacher/answer-form.js";
export { checkAnswer } from "./teacher/check-answer.js";
export type { ExecOptions, ExecTeacher } from "./teacher/exec/exec-teacher.node.js";
export type { HttpTeacher } from "./teacher/http/http-teacher.js";
export type { HttpTeacherOptions } from "./teacher/http/open.js";
export type { Description, Question, Reply } from "./teacher/http/protocol.js";
export type { ModuleTeacher } from "./teacher/module-teacher.node.js";
export { NetworkTeacher } from "./teacher/network-teacher.js";
export type { OnnxTeacher } from "./teacher/onnx-teacher.node.js";
export { oneLine, redact, type Environment } from "./teacher/secrets.js";
export { openExecTeacher, openHttpTeacher, openModuleTeacher, openOnnxTeacher } from "./teacher/open.js";
export type * from "./teacher/settings.js";
export * from "./teacher/teacher.js";
export { warpPresets, warpRanges, type WarpPreset } from "./warps.js";
