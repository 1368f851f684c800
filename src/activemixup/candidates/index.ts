/** What an acquisition chooses from. */
export { chooseBlendAt, scoringWork, type BlendAt, type ScoringWork } from "./blend-at.js";
export type { Candidates, CandidateView, Choice, Heads, ViewOptions } from "./candidates.js";
export type { Box, Composition, CompositionKind } from "./composition.js";
export { ComposedCandidates, type CompositionOptions } from "./compositions.js";
export {
  candidateKinds,
  checkCandidates,
  checkNeighbours,
  createCandidates,
  type CandidateKind,
  type CandidateOptions,
  type CandidateSetting,
} from "./kinds.js";
export { PairCandidates, type PairOptions, type Pixels } from "./pairs.js";
export { Pool } from "./pool.js";
export { shownPixels } from "./shown.js";
