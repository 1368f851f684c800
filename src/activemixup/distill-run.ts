import { bytesPerImage } from "../data/index.js";
import { InputError } from "../errors.js";
import { Examples, Trainer, type NetworkState } from "../nn/index.js";
import { createTensor, type Tensor } from "../tensor/index.js";
import { findStrategy, type Acquisition } from "./acquisition/index.js";
import { blendOnHost, lambdaWeight, type MixedPair } from "./blend.js";
import { PairCandidates, type Candidates, type Choice } from "./candidates/index.js";
import type { DistillInput } from "./distill-input.js";
import { Evaluation } from "./evaluation.js";
import { HoldoutJudge } from "./holdout.js";
import { panelsOf, type Panels } from "./panels.js";
import { mostSteps, planDistill, stepsOf, sum } from "./plan.js";
import type { AnsweredQuery, Checkpoint, DistillReport, RoundReport } from "./report.js";
import { bestRound, stopReason } from "./stopping.js";
import { addSeconds, Stopwatch } from "./stopwatch.js";

/** An image that is to be asked about; a real image is no candidate. */
type Chosen = MixedPair & Partial<Choice>;

/** What a run holds on the device while it goes on. */
interface Equipment {
  readonly examples: Examples;
  readonly trainer: Trainer;
  readonly selection: { readonly candidates: Candidates; readonly acquisition: Acquisition } | undefined;
}

/** One run of the method: made, executed once, disposed of. */
export class DistillRun {
  private readonly answers: AnsweredQuery[];
  private readonly leftOut: number[];
  private readonly rounds: RoundReport[];
  private best: NetworkState | undefined;
  private judge: HoldoutJudge | undefined;
  private evaluation: Evaluation | undefined;

  private constructor(
    private readonly input: DistillInput,
    private readonly plan: readonly number[],
    private readonly panels: Panels,
    private readonly equipment: Equipment,
    /** Where the student starts again each round; it goes on from the last round where absent. */
    private readonly start: NetworkState | undefined,
    private readonly watches: Stopwatch[],
  ) {
    this.answers = [...(input.resume?.answers ?? [])];
    this.leftOut = [...(input.resume?.leftOut ?? [])];
    this.rounds = [...(input.resume?.rounds ?? [])];
    this.best = input.resume?.best;
  }

  static async create(input: DistillInput): Promise<DistillRun> {
    const { images, student, options, resume } = input;
    const panels = panelsOf(input);
    const plan = planDistill(input);
    const preparing = new Stopwatch();
    const { device } = student;
    const shape = [images.count, images.channels, images.height, images.width];
    const pixels = createTensor(device, shape, { dtype: "u8", data: images.pixels, name: "real images" });
    const examples = new Examples(device, pixels, sum(plan), panels.asked.classes);
    const trainer = await preparing.time("prepare", () =>
      Trainer.create(student, examples, options, mostSteps(plan, options)),
    );
    const selection = plan.length > 1 ? await preparing.time("prepare", () => select(input, pixels)) : undefined;
    const start = options.restart ? await student.state() : undefined;
    if (resume) {
      const answered = resume.answers.flatMap(({ candidate }) => candidate ?? []);
      for (const candidate of [...answered, ...resume.leftOut]) selection?.candidates.take(candidate);
      trainer.skip(sum(resume.rounds.map(({ steps }) => steps)));
      student.load(resume.student, "the checkpoint");
    }
    return new DistillRun(input, plan, panels, { examples, trainer, selection }, start, [preparing]);
  }

  async execute(): Promise<DistillReport> {
    const { student, test, holdout, observer, options, signal } = this.input;
    const { asked, forTest } = this.panels;
    try {
      const watch = this.newWatch();
      const hearing = (phase: "holdout" | "test", total: number) => ({
        signal,
        onProgress: (done: number) => observer?.onProgress?.(phase, this.rounds.length, done, total),
      });
      if (test) {
        const options = hearing("test", test.count);
        this.evaluation = await watch.time("evaluate", () => Evaluation.create(test, forTest, student, options));
      }
      if (holdout) {
        const options = hearing("holdout", holdout.count);
        this.judge = await watch.time("query", () => HoldoutJudge.create(holdout, asked, student, options));
      }
      while (!stopReason(this.rounds, this.plan.length, options)) {
        this.rounds.push(await this.round(this.rounds.length, this.newWatch()));
        const state = await student.state();
        if (this.judge && bestRound(this.rounds) === this.rounds.at(-1)) this.best = state;
        await observer?.onRound?.(this.rounds.at(-1)!, this.report(false), this.checkpoint(state));
      }
      if (this.best) student.load(this.best, "the best round");
      return this.report(false);
    } catch (error) {
      if (!signal?.aborted || error !== signal.reason) throw error;
      if (this.best) student.load(this.best, "the best round");
      return this.report(true);
    }
  }

  private newWatch(): Stopwatch {
    const watch = new Stopwatch();
    this.watches.push(watch);
    return watch;
  }

  private checkpoint(student: NetworkState): Checkpoint {
    return {
      rounds: [...this.rounds],
      answers: [...this.answers],
      leftOut: [...this.leftOut],
      student,
      ...(this.best ? { best: this.best } : {}),
    };
  }

  private report(interrupted: boolean): DistillReport {
    const { options, resume } = this.input;
    const before = resume?.rounds.map(({ seconds }) => seconds) ?? [];
    return {
      queries: this.answers.length + (this.judge?.count ?? 0),
      teachers: this.panels.asked.accounts,
      evaluationQueries: this.evaluation?.count ?? 0,
      ...(this.evaluation && this.panels.forTest ? { testTeachers: this.panels.forTest.accounts } : {}),
      teacherAccuracy: this.evaluation?.teacherAccuracy,
      blendAt: this.equipment.selection?.acquisition.blendAt,
      rounds: [...this.rounds],
      keptRound: (bestRound(this.rounds) ?? this.rounds.at(-1))?.round,
      stopped: stopReason(this.rounds, this.plan.length, options),
      seconds: addSeconds([...before, ...this.watches.map(({ seconds }) => seconds)]),
      interrupted,
    };
  }

  private async round(round: number, watch: Stopwatch): Promise<RoundReport> {
    const { options, signal } = this.input;
    // Steps 1, 3 and 4: the real images first, then the blends that the strategy chooses.
    const chosen = await watch.time("select", () => (round === 0 ? this.realImages() : this.choose(round)));
    // Steps 1 and 5.
    const { answered, skipped } = await watch.time("query", () => this.ask(round, chosen));
    // Step 6.
    const steps = stepsOf(round, this.answers.length, options);
    const loss = await watch.time("train", () => this.train(round, steps));
    if (!Number.isFinite(loss)) {
      throw new InputError(`the student diverged in round ${round}: its loss is ${loss}; lower --rate`);
    }
    const [judgement, test] = await watch.time("evaluate", async () => [
      await this.judge?.score(signal),
      await this.evaluation?.score(signal),
    ]);
    const held = this.judge?.count ?? 0;
    return {
      round,
      asked: answered + (round === 0 ? held : 0),
      queries: this.answers.length + held,
      unanswered: chosen.length - answered - skipped,
      skipped: skipped + (round === 0 ? (this.judge?.skipped ?? 0) : 0),
      steps,
      loss,
      ...(judgement ? { holdout: judgement } : {}),
      ...(test ? { test } : {}),
      seconds: watch.seconds,
    };
  }

  private realImages(): Promise<Chosen[]> {
    const { count } = this.input.images;
    return Promise.resolve(Array.from({ length: count }, (_, image) => ({ first: image, second: image, lambda: 1 })));
  }

  private async choose(round: number): Promise<Chosen[]> {
    const { observer, signal } = this.input;
    const { candidates, acquisition } = this.equipment.selection!;
    candidates.begin(round);
    const choices = await acquisition.select(this.plan[round], round, {
      signal,
      onProgress: (done) => observer?.onProgress?.("select", round, done, candidates.size),
    });
    const useless = choices.find(({ confidence }) => confidence !== undefined && !Number.isFinite(confidence));
    if (useless) {
      throw new InputError(
        `the student diverged in round ${round - 1}: its confidence in a blend is ${useless.confidence}; lower --rate`,
      );
    }
    for (const { candidate } of choices) candidates.take(candidate);
    return choices;
  }

  /**
   * Shows the teacher the blends' 8-bit pixels, the same that the image kernel will compute for the student.
   * @returns how many were answered, and how many the teacher never answered; the budget did not cover the others
   */
  private async ask(round: number, chosen: readonly Chosen[]): Promise<{ answered: number; skipped: number }> {
    const { images, observer, signal } = this.input;
    const { channels, height, width } = images;
    const pixels = blendOnHost(images.pixels, bytesPerImage(images), chosen);
    const labels = await this.panels.asked.query(
      { count: chosen.length, channels, height, width, pixels },
      { signal, onProgress: (done) => observer?.onProgress?.("query", round, done, chosen.length) },
    );
    const answers: AnsweredQuery[] = [];
    let skipped = 0;
    for (const [index, blend] of chosen.entries()) {
      const label = labels[index];
      if (typeof label !== "string") answers.push({ ...blend, round, label });
      else {
        if (label === "skipped") skipped++;
        if (blend.candidate !== undefined) this.leftOut.push(blend.candidate);
      }
    }
    if (this.answers.length + answers.length === 0) {
      throw new InputError("the teacher answered none of the images to train on; mend it, or raise --budget");
    }
    await observer?.onAnswers?.(answers);
    this.answers.push(...answers);
    return { answered: answers.length, skipped };
  }

  private train(round: number, steps: number): Promise<number> {
    const { options, student, observer, signal } = this.input;
    const { examples, trainer } = this.equipment;
    if (this.start && round > 0) student.load(this.start, "the student's start");
    examples.set(
      this.answers.map(({ first, second, lambda }) => ({ first, second, weight: lambdaWeight(lambda) })),
      concatenate(this.answers.map(({ label }) => label)),
    );
    return trainer.fit(round, {
      steps,
      schedule: options.schedule,
      signal,
      onProgress: (done) => observer?.onProgress?.("train", round, done, steps),
    });
  }

  dispose(): void {
    const { examples, trainer, selection } = this.equipment;
    this.judge?.dispose();
    this.evaluation?.dispose();
    selection?.acquisition.dispose();
    selection?.candidates.dispose();
    trainer.dispose();
    examples.images.dispose();
    examples.dispose();
  }
}

/** The candidates that the options mean, and what chooses from them. */
async function select(
  { images, student, options }: DistillInput,
  pixels: Tensor<"u8">,
): Promise<Equipment["selection"]> {
  const { lambdas, pool, seed, blendAt, strategy, badgeSample } = options;
  const { create, single = false } = findStrategy(strategy);
  const candidates = new PairCandidates(images, pixels, { lambdas, pool, seed, blendAt, single });
  return { candidates, acquisition: await create!({ candidates, student, seed, badgeSample }) };
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
