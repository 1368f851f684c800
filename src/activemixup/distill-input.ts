import type { ImageSet } from "../data/index.js";
import type { Network } from "../nn/index.js";
import type { LedgerStore } from "./ledger/store.js";
import type { DistillOptions } from "./options.js";
import type { AnsweredQuery, Checkpoint, DistillReport, RoundReport } from "./report.js";
import type { Phase } from "./stopwatch.js";
import type { Teacher } from "./teacher/teacher.js";

/** Hears of a run while it goes on. */
export interface DistillObserver {
  /** The answers of a round, before the student is trained on them. */
  onAnswers?(answers: readonly AnsweredQuery[]): Promise<void>;
  /**
   * A round is over; the student is as it left it. `soFar` is the report of the run until then, and with `checkpoint`
   * as {@link DistillInput.resume} another run goes on from here.
   */
  onRound?(round: RoundReport, soFar: DistillReport, checkpoint: Checkpoint): Promise<void>;
  /**
   * `done` of `total` units (training steps, candidates, images) of a phase of a round; `holdout` and `test`: the teacher
   * is asked about those images, before the rounds.
   */
  onProgress?(phase: Phase | "holdout" | "test", round: number, done: number, total: number): void;
  /** Something that went wrong and is being waited out. */
  onNotice?(message: string): void;
}

/** All that a run works on. */
export interface DistillInput {
  /** The real images that are trained on; their labels, if any, are not looked at. */
  readonly images: ImageSet;
  /** Real images that are not trained on, to choose the best student by ({@link holdOut}); asked about in the budget. */
  readonly holdout?: ImageSet | undefined;
  /** Images to report on; nothing is decided by them. */
  readonly test?: ImageSet | undefined;
  /** Whether the teacher is asked about the test images too, outside the budget; asked if it never charges. */
  readonly askTest?: boolean | undefined;
  /** Several are an ensemble: their answer is the mean, and each has the whole budget. */
  readonly teacher: Teacher | readonly Teacher[];
  /** Where the answers of each teacher are kept: in memory, where absent. */
  readonly stores?: readonly LedgerStore[] | undefined;
  /** Tells this run apart in stores that it shares. */
  readonly run?: string | undefined;
  /** Trained in place. */
  readonly student: Network;
  readonly options: DistillOptions;
  /** Goes on after the rounds of a checkpoint of the same run; `student` is then as at the start of that run. */
  readonly resume?: Checkpoint | undefined;
  readonly observer?: DistillObserver | undefined;
  readonly signal?: AbortSignal | undefined;
}
