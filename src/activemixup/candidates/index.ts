/** What an acquisition chooses from. */
export { chooseBlendAt, scoringWork, type BlendAt, type ScoringWork } from "./blend-at.js";
export type { Candidates, CandidateView, Choice, Heads } from "./candidates.js";
export { PairCandidates, type PairOptions } from "./pairs.js";
export { Pool } from "./pool.js";
