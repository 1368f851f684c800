import type { AnsweredQuery, Comparison } from "../../src/activemixup/index.js";
import type { ImageSet } from "../../src/data/index.js";
import type { RunConfig } from "../distill/config.js";
import type { Summary } from "../distill/summary.js";

/** Whether a run goes on, as far as its report can know. */
export type RunState =
  /** The process that writes the report goes on with the run. */
  | { readonly kind: "going" }
  | { readonly kind: "finished" }
  /** By Ctrl-C: it can be gone on with. */
  | { readonly kind: "interrupted" }
  /** By an error, which the user may mend and go on. */
  | { readonly kind: "failed"; readonly message: string }
  /** Another process goes on with it, or it was killed: the files do not tell. */
  | { readonly kind: "unknown" };

/** What a run's report is made of. */
export interface RunRecord {
  /** Its folder, as the user calls it. */
  readonly folder: string;
  readonly config: RunConfig;
  readonly summary: Summary;
  readonly state: RunState;
  /** Of the finished rounds, in their order. */
  readonly answers: readonly AnsweredQuery[];
  readonly comparison?: Comparison | undefined;
  /** Why there are no pictures, or the images that they are made of. */
  readonly images: string | RunImages;
}

/** The images of a run. */
export interface RunImages {
  /** Trained on. */
  readonly real: ImageSet;
  readonly holdout?: ImageSet | undefined;
  readonly test?: ImageSet | undefined;
}

/** Why there is no comparison of the student on images that it was not trained on. */
export function whyNotCompared({ config: { heldOut, options } }: RunRecord): string {
  return heldOut.length > 0 || options.test !== undefined
    ? "the run kept no comparison on its held-out or test images"
    : "no image was held out or tested";
}

/** What a class is called: by its name, where there are names, or by its number. */
export function className({ config }: RunRecord, label: number): string {
  return config.network.classNames?.[label] ?? String(label);
}

/** `2 of 3`: rounds that are done after the one about the real images, or how many; all where the plan has ended. */
export function countRounds({ summary, config }: RunRecord): string {
  const { strategy, totals, perRound, rounds } = config.method;
  const done = summary.rounds.filter(({ round, pseudoLabels }) => round > 0 && pseudoLabels === undefined).length;
  if (strategy === "real-only" || (perRound !== undefined && !totals)) return String(done);
  // A budget that is spent early has fewer rounds than were asked for.
  return `${done} of ${summary.stopped === "plan" ? done : (totals?.length ?? rounds)}`;
}

/** Answers by the round that asked for them, in the order of the rounds. */
export function byRound(answers: readonly AnsweredQuery[]): Map<number, AnsweredQuery[]> {
  const rounds = new Map<number, AnsweredQuery[]>();
  for (const answer of answers) {
    const own = rounds.get(answer.round);
    if (own) own.push(answer);
    else rounds.set(answer.round, [answer]);
  }
  return rounds;
}
