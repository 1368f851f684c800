import { InputError } from "../errors.js";
import { bytesPerImage, type ImageSet } from "../data/index.js";
import { Examples, Trainer, type Network, type NetworkState } from "../nn/index.js";
import { createTensor } from "../tensor/index.js";
import { findStrategy, type Acquisition, type BlendAt } from "./acquisition/index.js";
import { blendOnHost, lambdaWeight, type MixedPair } from "./blend.js";
import { Evaluation, type Score } from "./evaluation.js";
import { Ledger } from "./ledger/ledger.js";
import { MemoryStore } from "./ledger/store.js";
import type { DistillOptions } from "./options.js";
import { planDistill, stepsOf, sum } from "./plan.js";
import { Pool } from "./pool.js";
import { Stopwatch, type Phase, type PhaseSeconds } from "./stopwatch.js";
import type { Teacher } from "./teacher/teacher.js";

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
  /** Where candidates were blended to be scored, if they were. */
  readonly blendAt?: BlendAt | undefined;
  /** The finished rounds. */
  readonly rounds: readonly RoundReport[];
  /** Of the whole run, an unfinished round included. */
  readonly seconds: PhaseSeconds;
  /** Whether the run was aborted by its signal. */
  readonly interrupted: boolean;
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

/**
 * Trains the student to do as the teacher does: steps 1 to 7 of active mixup (Wang, Li, Wang, Gong, CVPR 2020). Step 7
 * ends with the budget. An abort ends it early: the report then tells of what was done, and the student is as the last
 * training step left it.
 * @throws InputError where options, images, teacher and student do not fit together, before anything is asked; where an
 * answer is no probabilities; where the student diverges.
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
  private judge: Evaluation | undefined;

  private constructor(
    private readonly input: DistillInput,
    private readonly plan: readonly number[],
    private readonly ledger: Ledger,
    private readonly examples: Examples,
    private readonly trainer: Trainer,
    private readonly selection: { pool: Pool; acquisition: Acquisition } | undefined,
    /** Where the student starts again each round; it goes on from the last round where absent. */
    private readonly start: NetworkState | undefined,
    private readonly watches: Stopwatch[],
  ) {}

  static async create(input: DistillInput): Promise<DistillRun> {
    const { images, teacher, student, options } = input;
    const plan = planDistill(input);
    const preparing = new Stopwatch();
    const { device } = student;
    const shape = [images.count, images.channels, images.height, images.width];
    const pixels = createTensor(device, shape, { dtype: "u8", data: images.pixels, name: "real images" });
    const examples = new Examples(device, pixels, sum(plan), teacher.classes);
    const trainer = await preparing.time("prepare", () =>
      Trainer.create(student, examples, options, stepsOf(sum(plan), options)),
    );
    const { lambdas, seed, blendAt } = options;
    const context = { lambdas, student, images: pixels, seed, blendAt };
    const { create } = findStrategy(options.strategy);
    const pool = plan.length > 1 ? new Pool(images.count, options.pool, options.seed) : undefined;
    const selection = pool && {
      pool,
      acquisition: await preparing.time("prepare", () => create!({ ...context, pool })),
    };
    const start = options.restart ? await student.state() : undefined;
    const ledger = new Ledger(teacher, new MemoryStore(teacher.name), {
      run: "",
      budget: options.budget,
      countFailed: true,
    });
    return new DistillRun(input, plan, ledger, examples, trainer, selection, start, [preparing]);
  }

  async execute(): Promise<DistillReport> {
    const { student, evaluation, observer, signal } = this.input;
    try {
      if (evaluation) {
        const watch = this.newWatch();
        this.judge = await watch.time("evaluate", () => Evaluation.create(evaluation, this.ledger, student, signal));
      }
      for (let round = 0; round < this.plan.length; round++) {
        this.rounds.push(await this.round(round, this.newWatch()));
        await observer?.onRound?.(this.rounds[round], this.report(false));
      }
      return this.report(false);
    } catch (error) {
      if (!signal?.aborted || error !== signal.reason) throw error;
      return this.report(true);
    }
  }

  private newWatch(): Stopwatch {
    const watch = new Stopwatch();
    this.watches.push(watch);
    return watch;
  }

  private report(interrupted: boolean): DistillReport {
    return {
      queries: this.ledger.spent,
      evaluationQueries: this.judge?.count ?? 0,
      teacherAccuracy: this.judge?.teacherAccuracy,
      blendAt: this.selection?.acquisition.blendAt,
      rounds: [...this.rounds],
      seconds: addSeconds(this.watches.map(({ seconds }) => seconds)),
      interrupted,
    };
  }

  private async round(round: number, watch: Stopwatch): Promise<RoundReport> {
    const { options, student, observer, signal } = this.input;
    const asked = this.plan[round];
    // Steps 1, 3 and 4: the real images first, then the blends that the strategy chooses.
    const chosen = await watch.time("select", () => (round === 0 ? this.realImages() : this.choose(round, asked)));
    // Steps 1 and 5.
    await watch.time("query", () => this.ask(round, chosen));
    // Step 6.
    const steps = stepsOf(this.answers.length, options);
    const loss = await watch.time("train", () => {
      if (this.start && round > 0) student.load(this.start, "the student's start");
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
    if (!Number.isFinite(loss)) {
      throw new InputError(`the student diverged in round ${round}: its loss is ${loss}; lower --rate`);
    }
    const score = this.judge && (await watch.time("evaluate", () => this.judge!.score(signal)));
    return { round, asked, queries: this.ledger.spent, steps, loss, student: score, seconds: watch.seconds };
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

  /**
   * Shows the teacher the blends' 8-bit pixels, the same that the image kernel will compute for the student. Each batch
   * of answers goes to the observer before the next is asked for.
   */
  private async ask(round: number, chosen: readonly MixedPair[]): Promise<void> {
    const { images, observer, signal } = this.input;
    const { channels, height, width } = images;
    const pixels = blendOnHost(images.pixels, bytesPerImage(images), chosen);
    const labels = await this.ledger.query(
      { count: chosen.length, channels, height, width, pixels },
      { signal, onProgress: (done) => observer?.onProgress?.("query", round, done, chosen.length) },
    );
    const answers = chosen.map((blend, index) => ({ ...blend, round, label: labels[index]! }));
    await observer?.onAnswers?.(answers);
    this.answers.push(...answers);
  }

  dispose(): void {
    this.judge?.dispose();
    this.selection?.acquisition.dispose();
    this.trainer.dispose();
    this.examples.images.dispose();
    this.examples.dispose();
  }
}

function addSeconds(parts: readonly PhaseSeconds[]): PhaseSeconds {
  const total = new Stopwatch().seconds;
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
