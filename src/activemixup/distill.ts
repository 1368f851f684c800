import { InputError } from "../errors.js";
import { bytesPerImage, type ImageSet } from "../data/index.js";
import { Examples, Trainer, type Network } from "../nn/index.js";
import { createTensor } from "../tensor/index.js";
import { findStrategy, type Acquisition } from "./acquisition/index.js";
import { blendOnHost, lambdaWeight, type MixedPair } from "./blend.js";
import { Evaluation, type Score } from "./evaluation.js";
import { Ledger } from "./ledger.js";
import { planRounds, type DistillOptions } from "./options.js";
import { Pool } from "./pool.js";
import { Stopwatch, type Phase, type PhaseSeconds } from "./stopwatch.js";
import type { Teacher } from "./teacher.js";

/** One answered query: a blend (a real image is one of itself with itself, λ = 1) and the teacher's probabilities. */
export interface AnsweredQuery extends MixedPair {
  readonly round: number;
  /** The student's confidence in the blend when it was chosen, where the strategy looks at it. */
  readonly confidence?: number;
  /** The teacher's probabilities, one a class. */
  readonly label: Float32Array;
}

/** What one round did. Round 0 asks about the real images. */
export interface RoundReport {
  readonly round: number;
  /** Asked in this round. */
  readonly asked: number;
  /** Asked so far. */
  readonly queries: number;
  /** Training steps of this round. */
  readonly steps: number;
  /** Mean training loss of the round's last pass, in nats. */
  readonly loss: number;
  /** On the test or held-out images, where there are any. */
  readonly student?: Score;
  readonly seconds: PhaseSeconds;
}

export interface DistillReport {
  readonly queries: number;
  /** Teacher answers about test or held-out images, outside the budget. */
  readonly evaluationQueries: number;
  readonly teacherAccuracy?: number;
  readonly rounds: readonly RoundReport[];
  readonly seconds: PhaseSeconds;
}

/** Hears of a run while it goes on. */
export interface DistillObserver {
  /** Answers, before they are used. */
  onAnswers?(answers: readonly AnsweredQuery[]): Promise<void>;
  /** A round is over; the student is as it left it. `soFar` is the report of the run until then. */
  onRound?(round: RoundReport, soFar: DistillReport): Promise<void>;
  /** `done` of `total` units (training steps, candidates, images) of a phase of a round. */
  onProgress?(phase: Phase, round: number, done: number, total: number): void;
}

export interface DistillInput {
  /** The n real images; their labels, if any, are not looked at. */
  readonly images: ImageSet;
  readonly teacher: Teacher;
  /** Trained in place. */
  readonly student: Network;
  /** Images to compare student and teacher on; never trained on. */
  readonly evaluation?: ImageSet;
  readonly options: DistillOptions;
  readonly observer?: DistillObserver;
  readonly signal?: AbortSignal;
}

/** What decides whether a run can be made. */
export type DistillPlanInput = Pick<DistillInput, "images" | "student" | "evaluation" | "options"> & {
  readonly teacher: Pick<Teacher, "classes">;
};

/**
 * Trains the student to do as the teacher does: steps 1 to 7 of active mixup (Wang, Li, Wang, Gong, CVPR 2020).
 * @throws InputError where options, images, teacher and student do not fit together, before anything is asked.
 */
export async function distill(input: DistillInput): Promise<DistillReport> {
  const run = await DistillRun.create(input);
  try {
    return await run.execute();
  } finally {
    run.dispose();
  }
}

class DistillRun {
  private readonly answers: AnsweredQuery[] = [];
  private readonly rounds: RoundReport[] = [];

  private constructor(
    private readonly input: DistillInput,
    private readonly plan: readonly number[],
    private readonly ledger: Ledger,
    private readonly examples: Examples,
    private readonly trainer: Trainer,
    private readonly selection: { pool: Pool; acquisition: Acquisition } | undefined,
  ) {}

  static async create(input: DistillInput): Promise<DistillRun> {
    const { images, teacher, student, options } = input;
    const plan = planDistill(input);
    const strategy = findStrategy(options.strategy);
    const pool = plan.length > 1 ? new Pool(images.count, options.pool, options.seed) : undefined;
    const { device } = student;
    const shape = [images.count, images.channels, images.height, images.width];
    const pixels = createTensor(device, shape, { dtype: "u8", data: images.pixels, name: "real images" });
    const examples = new Examples(device, pixels, sum(plan), teacher.classes);
    const mostSteps = stepsOf(sum(plan), options);
    const trainer = await Trainer.create(student, examples, options, mostSteps);
    const context = { lambdas: options.lambdas, student, images: pixels, seed: options.seed };
    const selection = pool && { pool, acquisition: await strategy.create!({ ...context, pool }) };
    return new DistillRun(input, plan, new Ledger(teacher, options.budget), examples, trainer, selection);
  }

  async execute(): Promise<DistillReport> {
    const { teacher, student, observer, signal } = this.input;
    const before = new Stopwatch();
    const evaluation = this.input.evaluation;
    const judge =
      evaluation && (await before.time("evaluate", () => Evaluation.create(evaluation, teacher, student, signal)));
    try {
      for (let round = 0; round < this.plan.length; round++) {
        const watch = new Stopwatch();
        this.rounds.push(await this.round(round, watch, judge));
        await observer?.onRound?.(this.rounds[round], this.report(before, judge));
      }
      return this.report(before, judge);
    } finally {
      judge?.dispose();
    }
  }

  private report(before: Stopwatch, judge: Evaluation | undefined): DistillReport {
    return {
      queries: this.ledger.queries,
      evaluationQueries: judge?.count ?? 0,
      teacherAccuracy: judge?.teacherAccuracy,
      rounds: [...this.rounds],
      seconds: addSeconds([before.seconds, ...this.rounds.map(({ seconds }) => seconds)]),
    };
  }

  private async round(round: number, watch: Stopwatch, judge: Evaluation | undefined): Promise<RoundReport> {
    const { options, student, observer, signal } = this.input;
    const asked = this.plan[round];
    // Steps 1, 3 and 4: the real images first, then the blends that the strategy chooses.
    const chosen = await watch.time("select", () => (round === 0 ? this.realImages() : this.choose(round, asked)));
    // Steps 1 and 5.
    const answers = await watch.time("query", () => this.ask(round, chosen));
    await observer?.onAnswers?.(answers);
    this.answers.push(...answers);
    // Step 6.
    const steps = stepsOf(this.answers.length, options);
    const loss = await watch.time("train", () => {
      if (options.restart && round > 0) student.initialise(options.seed);
      this.examples.set(
        this.answers.map(({ first, second, lambda }) => ({ first, second, weight: lambdaWeight(lambda) })),
        concatenate(this.answers.map(({ label }) => label)),
      );
      return this.trainer.fit(round, {
        steps,
        schedule: options.schedule,
        signal,
        onProgress: (done) => observer?.onProgress?.("train", round, done, steps),
      });
    });
    const score = judge && (await watch.time("evaluate", () => judge.score(signal)));
    return { round, asked, queries: this.ledger.queries, steps, loss, student: score, seconds: watch.seconds };
  }

  private realImages(): Promise<MixedPair[]> {
    const { count } = this.input.images;
    return Promise.resolve(Array.from({ length: count }, (_, image) => ({ first: image, second: image, lambda: 1 })));
  }

  private async choose(round: number, count: number): Promise<MixedPair[]> {
    const { observer, signal } = this.input;
    const { pool, acquisition } = this.selection!;
    const choices = await acquisition.select(count, round, {
      signal,
      onProgress: (done) => observer?.onProgress?.("select", round, done, pool.size),
    });
    for (const { candidate } of choices) pool.take(candidate);
    return choices;
  }

  /** Shows the teacher the blends' 8-bit pixels, the same that the image kernel will compute for the student. */
  private async ask(round: number, chosen: readonly MixedPair[]): Promise<AnsweredQuery[]> {
    const { images, teacher, observer, signal } = this.input;
    const { channels, height, width } = images;
    const answers: AnsweredQuery[] = [];
    for (let start = 0; start < chosen.length; start += ASKED_AT_ONCE) {
      const part = chosen.slice(start, start + ASKED_AT_ONCE);
      const pixels = blendOnHost(images.pixels, bytesPerImage(images), part);
      const labels = await this.ledger.query({ count: part.length, channels, height, width, pixels }, signal);
      for (const [index, blend] of part.entries()) {
        const label = labels.slice(index * teacher.classes, (index + 1) * teacher.classes);
        answers.push({ ...blend, round, label });
      }
      observer?.onProgress?.("query", round, answers.length, chosen.length);
    }
    return answers;
  }

  dispose(): void {
    this.selection?.acquisition.dispose();
    this.trainer.dispose();
    this.examples.images.dispose();
    this.examples.dispose();
  }
}

/** Images in one batch to the teacher. */
const ASKED_AT_ONCE = 1024;

/**
 * Queries of each round (see {@link planRounds}), once all is seen to fit together.
 * @throws InputError where options, images, teacher and student do not.
 */
export function planDistill({ images, teacher, student, evaluation, options }: DistillPlanInput): number[] {
  const { image, classes, architecture } = student.spec;
  const size = (shape: { channels: number; height: number; width: number }) =>
    `${shape.channels} × ${shape.height} × ${shape.width}`;
  if (size(images) !== size(image)) {
    throw new InputError(
      `the student ${architecture} takes images of ${size(image)}; ${images.name} holds ${size(images)}: ` +
        `give images of the student's size, or another student`,
    );
  }
  if (classes !== teacher.classes) {
    throw new InputError(
      `the student ${architecture} has ${classes} classes and the teacher ${teacher.classes}; they have to be the same`,
    );
  }
  if (evaluation && size(evaluation) !== size(images)) {
    throw new InputError(
      `${evaluation.name} holds images of ${size(evaluation)}; ${images.name} of ${size(images)}: give test images of the same size`,
    );
  }
  if (evaluation && evaluation.classes > teacher.classes) {
    throw new InputError(
      `${evaluation.name} has ${evaluation.classes} classes and the teacher ${teacher.classes}; ` +
        `give a test set with the teacher's classes`,
    );
  }
  const plan = planRounds(images.count, options);
  const wanted = sum(plan) - images.count;
  const pairs = Math.min(options.pool ?? Infinity, (images.count * (images.count - 1)) / 2);
  if (wanted > pairs) {
    throw new InputError(
      `--budget leaves ${wanted} queries for blends and the pool has ${pairs} pairs, each asked about at most once; ` +
        `lower --budget to ${images.count + pairs}, or raise --pool or --n`,
    );
  }
  return plan;
}

/** Training steps of a round with so many examples. */
function stepsOf(examples: number, { steps, epochs, batch }: DistillOptions): number {
  return steps ?? Math.max(1, Math.round((examples * epochs) / batch));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function addSeconds(parts: readonly PhaseSeconds[]): PhaseSeconds {
  const total: PhaseSeconds = { select: 0, query: 0, train: 0, evaluate: 0 };
  for (const part of parts) for (const phase of Object.keys(total) as Phase[]) total[phase] += part[phase];
  return total;
}

function concatenate(rows: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(sum(rows.map(({ length }) => length)));
  let offset = 0;
  for (const row of rows) {
    all.set(row, offset);
    offset += row.length;
  }
  return all;
}
