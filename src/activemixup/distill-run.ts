import { bytesPerImage } from "../data/index.js";
import { InputError } from "../errors.js";
import type { Emphasis, FitOptions, Network, NetworkState } from "../nn/index.js";
import { RandomAcquisition } from "./acquisition/index.js";
import { meanBelief, type Belief } from "./beliefs.js";
import type { MixedPair } from "./blend.js";
import type { Choice } from "./candidates/index.js";
import { Committee } from "./committee.js";
import { compare, type Comparison } from "./comparison.js";
import type { DistillInput } from "./distill-input.js";
import { createEquipment, disposeEquipment, type Equipment } from "./equipment.js";
import { Evaluation, type Score } from "./evaluation.js";
import { HoldoutJudge, type HoldoutScore } from "./holdout.js";
import { MeanPredictor } from "./mean-predictor.js";
import { panelsOf, type Panels } from "./panels.js";
import { planDistill, stepsOf, sum } from "./plan.js";
import type { AnsweredQuery, Checkpoint, DistillReport, RoundReport } from "./report.js";
import { soften } from "./soften.js";
import { bestRound, endOfAsking, stopReason } from "./stopping.js";
import { addSeconds, Stopwatch } from "./stopwatch.js";
import { exampleOfBlend, exampleOfRow, type Example } from "./training-images.js";

/** An image that is to be asked about; a real image is no candidate. */
type Chosen = MixedPair & Partial<Choice>;

function isChoice<T extends Chosen>(image: T): image is T & Choice {
  return image.candidate !== undefined;
}

/** What came of asking. */
interface Asked {
  readonly answered: number;
  readonly skipped: number;
  readonly shown: Uint8Array | undefined;
}

/** Candidates that are made and given pseudo-labels at a time: an abort waits for so many at most. */
const PORTION = 2048;

/** One run of the method: made, executed once, disposed of. */
export class DistillRun {
  private readonly answers: AnsweredQuery[];
  /** The answers as examples. */
  private readonly examples: Example[];
  private readonly leftOut: number[];
  private readonly rounds: RoundReport[];
  private best: NetworkState | undefined;
  /** Of the student that is kept. */
  private comparison: Comparison | undefined;
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
    this.comparison = input.resume?.comparison;
    this.examples = this.restore();
  }

  static async create(input: DistillInput): Promise<DistillRun> {
    const { student, options, resume } = input;
    const panels = panelsOf(input);
    const plan = planDistill(input);
    const preparing = new Stopwatch();
    const equipment = await preparing.time("prepare", () => createEquipment(input, plan, panels.asked.classes));
    const start = options.restart ? await student.state() : undefined;
    if (resume) {
      const { trainer, committee, candidates } = equipment;
      const answered = resume.answers.flatMap(({ candidate }) => candidate ?? []);
      for (const candidate of [...answered, ...resume.leftOut]) candidates?.take(candidate);
      trainer.skip(sum(resume.rounds.map(({ steps }) => steps)));
      student.load(resume.student, "the checkpoint");
      const choosing = resume.rounds.filter(({ round }) => round < plan.length - 1);
      committee?.load(resume, sum(choosing.map(({ steps }) => steps)));
    }
    return new DistillRun(input, plan, panels, equipment, start, [preparing]);
  }

  /** The examples of the answers of a checkpoint. */
  private restore(): Example[] {
    const size = bytesPerImage(this.input.images);
    const choices = this.answers.filter(isChoice);
    const { candidates } = this.equipment;
    const pixels = candidates?.areBlends === false ? candidates.pixels(choices) : new Uint8Array();
    let place = 0;
    return this.answers.map((answer) => {
      const start = isChoice(answer) ? size * place++ : 0;
      return this.exampleOf(answer, pixels.subarray(start, start + size));
    });
  }

  /** @param pixels of the image */
  private exampleOf(image: Chosen, pixels: Uint8Array): Example {
    const { images, candidates } = this.equipment;
    return isChoice(image) && candidates?.areBlends === false
      ? exampleOfRow(images.keep(pixels))
      : exampleOfBlend(image);
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
        const isKept = !this.judge || bestRound(this.rounds) === this.rounds.at(-1);
        if (this.judge && isKept) this.best = state;
        if (isKept) this.comparison = this.compare();
        const others = await this.equipment.committee?.state();
        await observer?.onRound?.(this.rounds.at(-1)!, this.report(false), this.checkpoint(state, others));
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

  private checkpoint(student: NetworkState, committee: NetworkState[] | undefined): Checkpoint {
    return {
      rounds: [...this.rounds],
      answers: [...this.answers],
      leftOut: [...this.leftOut],
      student,
      ...(this.best ? { best: this.best } : {}),
      ...(committee ? { committee } : {}),
      ...(this.comparison ? { comparison: this.comparison } : {}),
    };
  }

  /** How the student does as it was scored last: on held-out images, or else on test images. */
  private compare(): Comparison | undefined {
    const { judge, evaluation } = this;
    const { round } = this.rounds.at(-1)!;
    if (judge?.compared) return compare(judge.compared, { on: "holdout", against: "teacher", round });
    if (!evaluation?.compared || !evaluation.against) return undefined;
    return compare(evaluation.compared, { on: "test", against: evaluation.against, round });
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

  private round(round: number, watch: Stopwatch): Promise<RoundReport> {
    const isClosing = endOfAsking(this.rounds, this.plan.length, this.input.options);
    return isClosing ? this.closingRound(round, watch) : this.askingRound(round, watch);
  }

  private async askingRound(round: number, watch: Stopwatch): Promise<RoundReport> {
    const { options } = this.input;
    // Steps 1, 3 and 4: the real images first, then the blends that the strategy chooses.
    const chosen = await watch.time("select", () => (round === 0 ? this.realImages() : this.choose(round)));
    // Steps 1 and 5.
    const { answered, skipped, shown } = await watch.time("query", () => this.ask(round, chosen));
    const before = await watch.time("evaluate", () => this.beliefs(shown));
    // Step 6.
    const steps = stepsOf(round, this.answers.length, options);
    const loss = await watch.time("train", () => this.train(round, steps));
    const unanswered = chosen.length - answered - skipped;
    const done = await this.judgeRound({ round, asked: answered, unanswered, skipped, steps, loss }, watch);
    const after = await watch.time("evaluate", () => this.beliefs(shown));
    const means = this.keepBeliefs(answered, before, after);
    return { ...done, ...(means ? { chosen: means } : {}), seconds: watch.seconds };
  }

  /**
   * What a round did, and what the student has come to by it.
   * @throws InputError where the student diverged
   */
  private async judgeRound(
    done: Omit<RoundReport, "queries" | "holdout" | "test" | "chosen" | "seconds">,
    watch: Stopwatch,
  ): Promise<RoundReport> {
    const { round, asked, skipped, loss } = done;
    if (!Number.isFinite(loss)) {
      throw new InputError(`the student diverged in round ${round}: its loss is ${loss}; lower --rate`);
    }
    const [judgement, test] = await watch.time("evaluate", () => this.score(round));
    const held = this.judge?.count ?? 0;
    return {
      ...done,
      asked: asked + (round === 0 ? held : 0),
      queries: this.answers.length + held,
      skipped: skipped + (round === 0 ? (this.judge?.skipped ?? 0) : 0),
      ...(judgement ? { holdout: judgement } : {}),
      ...(test ? { test } : {}),
      seconds: watch.seconds,
    };
  }

  /** How the student does on held-out and on test images, where there are such. */
  private async score(round: number): Promise<[HoldoutScore | undefined, Score | undefined]> {
    const { observer, signal, test } = this.input;
    const held = this.judge?.count ?? 0;
    const hearing = (before: number) => (done: number) =>
      observer?.onProgress?.("evaluate", round, before + done, held + (test?.count ?? 0));
    return [await this.judge?.score(signal, hearing(0)), await this.evaluation?.score(signal, hearing(held))];
  }

  /** What the student says of candidates that were answered; nothing of real images, which none chose. */
  private async beliefs(shown: Uint8Array | undefined): Promise<(Belief | undefined)[]> {
    return (shown && (await this.equipment.selection?.beliefs.of(shown, this.input.signal))) ?? [];
  }

  /** Puts to the last `count` answers what the student said of them; gives the means. */
  private keepBeliefs(
    count: number,
    before: readonly (Belief | undefined)[],
    after: readonly (Belief | undefined)[],
  ): RoundReport["chosen"] {
    const start = this.answers.length - count;
    for (const place of before.keys()) {
      const answer = this.answers[start + place];
      this.answers[start + place] = { ...answer, before: before[place], after: after[place] };
    }
    const labels = this.answers.slice(start).map(({ label }) => label);
    const means = [meanBelief(before, labels), meanBelief(after, labels)];
    return means[0] && means[1] && { before: means[0], after: means[1] };
  }

  private realImages(): Promise<Chosen[]> {
    const { count } = this.input.images;
    return Promise.resolve(Array.from({ length: count }, (_, image) => ({ first: image, second: image, lambda: 1 })));
  }

  private async choose(round: number): Promise<Chosen[]> {
    const { observer, signal } = this.input;
    const { candidates, selection } = this.equipment;
    const { acquisition } = selection!;
    candidates!.begin(round);
    const choices = await acquisition.select(this.plan[round], round, {
      signal,
      onProgress: (done) => observer?.onProgress?.("select", round, done, candidates!.size),
    });
    const useless = choices.find(({ confidence }) => confidence !== undefined && !Number.isFinite(confidence));
    if (useless) {
      throw new InputError(
        `the student diverged in round ${round - 1}: its confidence in a blend is ${useless.confidence}; lower --rate`,
      );
    }
    for (const { candidate } of choices) candidates!.take(candidate);
    return choices;
  }

  /**
   * Shows the teacher the real images, or the 8-bit pixels of candidates: the same that the student is trained on.
   * @returns how many were answered, and how many the teacher never answered; the budget did not cover the others. Of
   * candidates the pixels of those that were answered
   */
  private async ask(round: number, chosen: readonly Chosen[]): Promise<Asked> {
    const { images, observer, signal } = this.input;
    const { channels, height, width } = images;
    const pixels = chosen.every(isChoice)
      ? this.equipment.candidates!.pixels(chosen)
      : images.pixels.subarray(0, images.count * bytesPerImage(images));
    const labels = await this.panels.asked.query(
      { count: chosen.length, channels, height, width, pixels },
      { signal, onProgress: (done) => observer?.onProgress?.("query", round, done, chosen.length) },
    );
    const size = bytesPerImage(images);
    const answers: AnsweredQuery[] = [];
    const examples: Example[] = [];
    const parts: Uint8Array[] = [];
    let skipped = 0;
    for (const [index, image] of chosen.entries()) {
      const label = labels[index];
      if (typeof label !== "string") {
        const own = pixels.subarray(index * size, (index + 1) * size);
        answers.push({ ...image, round, label });
        examples.push(this.exampleOf(image, own));
        parts.push(own);
      } else {
        if (label === "skipped") skipped++;
        if (image.candidate !== undefined) this.leftOut.push(image.candidate);
      }
    }
    if (this.answers.length + answers.length === 0) {
      throw new InputError("the teacher answered none of the images to train on; mend it, or raise --budget");
    }
    await observer?.onAnswers?.(answers);
    // One by one: a call takes no more than some 100,000 arguments.
    for (const answer of answers) this.answers.push(answer);
    for (const example of examples) this.examples.push(example);
    const shown = answers.length > 0 && answers.every(isChoice) ? concatenate(parts, Uint8Array) : undefined;
    return { answered: answers.length, skipped, shown };
  }

  private async train(round: number, steps: number): Promise<number> {
    const { trainer, examples, committee } = this.equipment;
    // The others are trained for the next round's choice alone.
    const others = round < this.plan.length - 1 ? committee : undefined;
    const total = steps * (1 + (others?.networks.length ?? 0));
    this.giveExamples(this.examples, this.labels);
    this.restart(round);
    const loss = await trainer.fit(round, this.fitting(round, steps, 0, total));
    await others?.train(round, examples, this.fitting(round, steps, steps, total));
    return loss;
  }

  /**
   * Behind the last query: a committee learns all answers and labels candidates that nobody was asked about, and the
   * student learns both. The mean of several students is nearer to the teacher than each of them, and one network can
   * learn it from images enough (Buciluă, Caruana, Niculescu-Mizil, "Model compression", KDD 2006).
   */
  private async closingRound(round: number, watch: Stopwatch): Promise<RoundReport> {
    const { student, options } = this.input;
    const { trainer, examples } = this.equipment;
    const pseudoLabels = options.pseudoLabels!;
    const steps = stepsOf("closing", this.answers.length + pseudoLabels, options);
    const learning = stepsOf("closing", this.answers.length, options);
    const committee = this.equipment.committee ?? (await Committee.create(student, options));
    const before = learning * committee.networks.length;
    try {
      this.giveExamples(this.examples, this.labels);
      const fitting = this.fitting(round, learning, 0, before + steps);
      await watch.time("train", () => committee.train(round, examples, fitting));
      const students = [student, ...committee.networks];
      const pseudo = await watch.time("select", () => this.pseudoLabelled(round, pseudoLabels, students));
      this.giveExamples([...this.examples, ...pseudo.examples], [...this.labels, ...pseudo.labels]);
    } finally {
      if (committee !== this.equipment.committee) committee.dispose();
    }
    this.restart(round);
    const fitting = this.fitting(round, steps, before, before + steps);
    const loss = await watch.time("train", () => trainer.fit(round, fitting));
    return this.judgeRound({ round, asked: 0, unanswered: 0, skipped: 0, pseudoLabels, steps, loss }, watch);
  }

  /** Candidates by chance, with the mean of what the students say of them. */
  private async pseudoLabelled(
    round: number,
    count: number,
    students: readonly Network[],
  ): Promise<{ examples: Example[]; labels: Float32Array[] }> {
    const { images, options, observer, signal } = this.input;
    const candidates = this.equipment.candidates!;
    candidates.begin(round);
    const acquisition = new RandomAcquisition({ candidates, student: students[0], seed: options.seed });
    const choices = await acquisition.select(count, round);
    const predictor = await MeanPredictor.create(students, Math.min(count, PORTION));
    const examples: Example[] = [];
    const labels: Float32Array[] = [];
    try {
      for (let start = 0; start < count; start += PORTION) {
        const portion = choices.slice(start, start + PORTION);
        const pixels = candidates.pixels(portion);
        for (const label of await predictor.predict(pixels, signal)) labels.push(label);
        const size = bytesPerImage(images);
        for (const [index, choice] of portion.entries()) {
          examples.push(this.exampleOf(choice, pixels.subarray(index * size, (index + 1) * size)));
        }
        observer?.onProgress?.("select", round, labels.length, count);
      }
    } finally {
      predictor.dispose();
    }
    return { examples, labels };
  }

  /** The teacher's answers. */
  private get labels(): Float32Array[] {
    return this.answers.map(({ label }) => label);
  }

  private giveExamples(examples: readonly Example[], labels: readonly Float32Array[]): void {
    const { images, examples: onDevice } = this.equipment;
    images.upload();
    const { temperature = 1 } = this.input.options;
    onDevice.set(examples, soften(concatenate(labels, Float32Array), onDevice.classes, temperature));
  }

  /** Has the student begin anew, where it does so each round. */
  private restart(round: number): void {
    if (this.start && round > 0) this.input.student.load(this.start, "the student's start");
  }

  /**
   * How a network is trained in a round on the examples that were given.
   * @param before steps of the `total` that other networks have made in this round
   */
  private fitting(round: number, steps: number, before: number, total: number): FitOptions {
    const { options, observer, signal } = this.input;
    return {
      steps,
      schedule: options.schedule,
      emphasis: this.emphasis(this.equipment.examples.count),
      warped: round < (options.augmentRounds ?? Infinity),
      signal,
      onProgress: (done) => observer?.onProgress?.("train", round, before + done, total),
    };
  }

  /** The real images stand first; where they are fewer than `realShare` asks for, batches have them oftener. */
  private emphasis(examples: number): Emphasis | undefined {
    const { realShare: share = 0 } = this.input.options;
    const count = this.answers.filter((answer) => !isChoice(answer)).length;
    return count > 0 && count < share * examples ? { count, share } : undefined;
  }

  dispose(): void {
    this.judge?.dispose();
    this.evaluation?.dispose();
    disposeEquipment(this.equipment);
  }
}

function concatenate<T extends Float32Array | Uint8Array>(parts: readonly T[], Kind: new (length: number) => T): T {
  const all = new Kind(sum(parts.map(({ length }) => length)));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}
