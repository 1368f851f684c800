import type { Belief, BeliefMeans } from "./beliefs.js";
import type { BlendAt, Choice } from "./candidates/index.js";
import type { MixedPair } from "./blend.js";
import type { Comparison } from "./comparison.js";
import type { Score } from "./evaluation.js";
import type { HoldoutScore } from "./holdout.js";
import type { TeacherAccount } from "./ledger/ledger.js";
import type { NetworkState } from "../nn/index.js";
import type { PhaseSeconds } from "./stopwatch.js";

/** One answered query: a candidate, or a real image (the blend of one with itself, λ = 1), and its soft label. */
export interface AnsweredQuery extends MixedPair, Partial<Omit<Choice, keyof MixedPair>> {
  readonly round: number;
  /** The teacher's probabilities, one a class; the mean of several teachers. */
  readonly label: Float32Array;
  /** Of a candidate, what the student that chose it said of the pixels that the teacher was shown. */
  readonly before?: Belief | undefined;
  /** The same after the round's training, on this answer too. */
  readonly after?: Belief | undefined;
}

/** Why a run ended. */
export type StopReason =
  /** All rounds are done. */
  | "plan"
  /** Attempts that failed used up the budget before all was asked that was planned. */
  | "budget"
  /** The student agrees with the teacher as often as was asked for. */
  | "target-agreement"
  /** So many rounds brought no better student. */
  | "patience";

/** What one round did. Round 0 asks about the real images, a closing round of pseudo-labels about nothing. */
export interface RoundReport {
  readonly round: number;
  /** Images that got answers in this round, those held out included. */
  readonly asked: number;
  /** Images that have answers so far, those held out included. */
  readonly queries: number;
  /** Images chosen in this round that the budget did not cover. */
  readonly unanswered: number;
  /** Images chosen in this round that the teacher never answered, held-out ones included: they are left out. */
  readonly skipped: number;
  /** Candidates that a committee labelled in the teacher's place: of the closing round alone. */
  readonly pseudoLabels?: number;
  /** Training steps of this round. */
  readonly steps: number;
  /** Mean training loss of the round's last pass, in nats. */
  readonly loss: number;
  /** What the student said of the candidates of the round, before it was trained on them and after. */
  readonly chosen?: { readonly before: BeliefMeans; readonly after: BeliefMeans };
  /** On the held-out images, where there are any. */
  readonly holdout?: HoldoutScore;
  /** On the test images, where there are any. */
  readonly test?: Score;
  readonly seconds: PhaseSeconds;
}

/** What a run did, all or so far. */
export interface DistillReport {
  /** Images that have answers, those held out included: of the finished rounds, and of the round under way. */
  readonly queries: number;
  /** Held-out images that have answers: those that the student is judged by. */
  readonly heldOut: number;
  /** What each teacher was asked by this run. */
  readonly teachers: readonly TeacherAccount[];
  /** Test images that the teachers answered, outside the budget. */
  readonly evaluationQueries: number;
  /** What each teacher was asked about test images, where it was; the budget is without end. */
  readonly testTeachers?: readonly TeacherAccount[];
  readonly teacherAccuracy?: number;
  /** Where candidates were blended to be scored, if they were. */
  readonly blendAt?: BlendAt | undefined;
  /** The finished rounds. */
  readonly rounds: readonly RoundReport[];
  /** The round whose student was kept: the best on the held-out images, else the last. */
  readonly keptRound?: number;
  /** Why the run is over; absent while it goes on. */
  readonly stopped?: StopReason;
  /** Of the whole run, an unfinished round included. */
  readonly seconds: PhaseSeconds;
  /** Whether the run was aborted by its signal. */
  readonly interrupted: boolean;
}

/** All that a run needs to go on after a finished round as if it had never stopped. */
export interface Checkpoint {
  readonly rounds: readonly RoundReport[];
  /** Of all finished rounds, in their order. */
  readonly answers: readonly AnsweredQuery[];
  /** Numbers in the pool of blends that were chosen and left out. */
  readonly leftOut: readonly number[];
  /** The student after the last of the rounds. */
  readonly student: NetworkState;
  /** The best student, where images are held out. */
  readonly best?: NetworkState;
  /** The other students of the committee, where the strategy asks one. */
  readonly committee?: readonly NetworkState[];
  /** Of the student that is kept, where there are images to compare on. */
  readonly comparison?: Comparison;
}
