import type { DistillReport, RoundReport, Score, TeacherAccount } from "../../src/activemixup/index.js";
import type { UnreadableImage } from "../../src/data/index.js";
import { deviceRecord, type DeviceRecord } from "../tuning.js";
import type { DistillCommandOptions } from "./options.js";
import type { PreparedRun } from "./prepare.js";

/** What `summary.json` holds. */
export interface Summary {
  readonly version: string;
  readonly seed: number;
  readonly device: DeviceRecord;
  readonly dataset: string;
  readonly n: number;
  /** Image files that `--skip-bad` left out. */
  readonly unreadable?: readonly UnreadableImage[];
  readonly strategy: string;
  /** What was chosen from. */
  readonly candidates: DistillCommandOptions["candidates"];
  /** Where candidates were blended to be scored: in 8 bits (pixels) or after the first layer's linear part (features). */
  readonly blendAt?: DistillReport["blendAt"];
  /** Images that have answers, those held out included. */
  readonly queries: number;
  /** Images that the teacher never answered, left out by `--skip-unanswered`. */
  readonly skipped: number;
  /** Of each teacher. */
  readonly budget: number;
  /** Of the budget, kept for attempts that fail. */
  readonly reserve: number;
  /** What each teacher was asked: answers paid by this run, failed attempts, and those lost when it was killed. */
  readonly teachers: readonly TeacherAccount[];
  /** Teacher answers about test images: outside the budget, never trained on. */
  readonly evaluationQueries: number;
  /** What each teacher was asked about test images, where it may charge for them. */
  readonly testTeachers?: readonly Omit<TeacherAccount, "budget">[];
  /** What `student.agreement` and `student.accuracy` are measured on. */
  readonly evaluation?: string;
  /** Real images that are held out to choose the student by; once it is chosen, those of them that have answers. */
  readonly holdout?: { readonly images: number } & Partial<RoundReport["holdout"]>;
  readonly interrupted: boolean;
  /** Why the run ended, where it did. */
  readonly stopped?: DistillReport["stopped"];
  /** The round whose student is in `student.safetensors`. */
  readonly keptRound?: number;
  readonly teacher: { readonly accuracy?: number };
  readonly student: { readonly architecture: string } & Score;
  readonly seconds: DistillReport["seconds"];
  readonly rounds: readonly RoundReport[];
}

/** The summary of a run, finished or not. */
export function summarise({ config, student, dataset, holdout, test }: PreparedRun, report: DistillReport): Summary {
  const { options, method, version } = config;
  const kept = report.rounds.find(({ round }) => round === report.keptRound);
  const { queries, teachers, evaluationQueries, interrupted, stopped, keptRound, seconds, rounds, blendAt } = report;
  return {
    version,
    seed: options.seed,
    device: deviceRecord(student.device),
    dataset,
    n: options.n,
    ...(config.unreadable ? { unreadable: config.unreadable } : {}),
    strategy: options.strategy,
    candidates: config.method.candidates,
    blendAt,
    queries,
    skipped: rounds.reduce((sum, { skipped }) => sum + skipped, 0),
    budget: method.budget,
    reserve: method.reserve,
    teachers,
    evaluationQueries,
    ...(report.testTeachers && config.options.askTest
      ? { testTeachers: report.testTeachers.map((account) => ({ ...account, budget: undefined })) }
      : {}),
    ...(test ? { evaluation: test.name } : {}),
    ...(holdout ? { holdout: { images: kept ? report.heldOut : holdout.count, ...kept?.holdout } } : {}),
    interrupted,
    ...(stopped ? { stopped } : {}),
    ...(keptRound === undefined ? {} : { keptRound }),
    teacher: { accuracy: report.teacherAccuracy },
    student: { architecture: student.spec.architecture, ...kept?.test },
    seconds,
    rounds,
  };
}
