import { InputError } from "../../errors.js";
import type { NetworkState } from "../../nn/index.js";
import type { Comparison } from "../comparison.js";
import type { DistillInput } from "../distill-input.js";
import { panelsOf, type Panels } from "../panels.js";
import { planDistill, sum } from "../plan.js";
import type { Checkpoint, DistillReport, RoundReport } from "../report.js";
import { RoundStart } from "../round-start.js";
import { addSeconds, Stopwatch } from "../stopwatch.js";
import { Asking } from "./asking.js";
import { createEquipment, disposeEquipment, type Equipment } from "./equipment.js";
import { Judging } from "./judging.js";
import { bestRound, endOfAsking, stopReason, type Outlook } from "./stopping.js";
import { Teaching } from "./teaching.js";

/** What was done in a round, before it is seen what came of it. */
type Done = Omit<RoundReport, "queries" | "holdout" | "test" | "chosen" | "seconds">;

/** One run of the method, round by round: made, executed once, disposed of. */
export class DistillRun {
  private readonly asking: Asking;
  private readonly teaching: Teaching;
  private readonly judging: Judging;
  private readonly rounds: RoundReport[];
  private best: NetworkState | undefined;
  /** Of the student that is kept. */
  private comparison: Comparison | undefined;

  private constructor(
    private readonly input: DistillInput,
    private readonly plan: readonly number[],
    private readonly panels: Panels,
    private readonly equipment: Equipment,
    start: RoundStart,
    private readonly watches: Stopwatch[],
  ) {
    this.rounds = [...(input.resume?.rounds ?? [])];
    this.best = input.resume?.best;
    this.comparison = input.resume?.comparison;
    this.asking = new Asking(input, plan, panels.asked, equipment);
    this.teaching = new Teaching(input, plan.length, equipment, this.asking, start);
    this.judging = new Judging(input, panels);
  }

  static async create(input: DistillInput): Promise<DistillRun> {
    const { student, options, resume } = input;
    const panels = panelsOf(input);
    const plan = planDistill(input);
    const preparing = new Stopwatch();
    const equipment = await preparing.time("prepare", () => createEquipment(input, plan, panels.asked.classes));
    const start = await RoundStart.of(student, options);
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

  async execute(): Promise<DistillReport> {
    const { student, holdout, observer, options, signal } = this.input;
    try {
      await this.judging.begin(this.rounds.length, this.newWatch());
      while (!stopReason(this.rounds, this.outlook, options)) {
        this.rounds.push(await this.round(this.rounds.length, this.newWatch()));
        const state = await student.state();
        const isKept = !holdout || bestRound(this.rounds) === this.rounds.at(-1);
        if (holdout && isKept) this.best = state;
        if (isKept) this.comparison = this.judging.compare(this.rounds.at(-1)!.round);
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
      answers: [...this.asking.answers],
      leftOut: [...this.asking.leftOut],
      student,
      ...(this.best ? { best: this.best } : {}),
      ...(committee ? { committee } : {}),
      ...(this.comparison ? { comparison: this.comparison } : {}),
    };
  }

  private report(interrupted: boolean): DistillReport {
    const { options, resume, test } = this.input;
    const before = resume?.rounds.map(({ seconds }) => seconds) ?? [];
    return {
      queries: this.queries,
      heldOut: this.judging.held,
      teachers: this.panels.asked.accounts,
      evaluationQueries: this.judging.tested,
      ...(test && this.panels.forTest ? { testTeachers: this.panels.forTest.accounts } : {}),
      teacherAccuracy: this.judging.teacherAccuracy,
      blendAt: this.equipment.selection?.acquisition.blendAt,
      rounds: [...this.rounds],
      keptRound: (bestRound(this.rounds) ?? this.rounds.at(-1))?.round,
      stopped: stopReason(this.rounds, this.outlook, options),
      seconds: addSeconds([...before, ...this.watches.map(({ seconds }) => seconds)]),
      interrupted,
    };
  }

  private get outlook(): Outlook {
    const isSpent = this.panels.asked.accounts.some(({ spent, budget }) => spent >= budget);
    return { planned: this.plan.length, isSpent };
  }

  /** Images that have answers, those held out included. */
  private get queries(): number {
    return this.asking.answers.length + this.judging.held;
  }

  private round(round: number, watch: Stopwatch): Promise<RoundReport> {
    const isClosing = endOfAsking(this.rounds, this.outlook, this.input.options);
    return isClosing ? this.closingRound(round, watch) : this.askingRound(round, watch);
  }

  private async askingRound(round: number, watch: Stopwatch): Promise<RoundReport> {
    const { asking, teaching } = this;
    const chosen = await watch.time("select", () => asking.choose(round));
    const { answered, skipped, shown } = await watch.time("query", () => asking.ask(round, chosen));
    const before = await watch.time("evaluate", () => asking.beliefs(shown));
    const taught = await watch.time("train", () => teaching.train(round));
    const unanswered = chosen.length - answered - skipped;
    const done = await this.judge({ round, asked: answered, unanswered, skipped, ...taught }, watch);
    const after = await watch.time("evaluate", () => asking.beliefs(shown));
    const means = asking.keepBeliefs(answered, before, after);
    return { ...done, ...(means ? { chosen: means } : {}), seconds: watch.seconds };
  }

  private async closingRound(round: number, watch: Stopwatch): Promise<RoundReport> {
    const { pseudoLabels } = this.input.options;
    const taught = await this.teaching.close(round, watch);
    return this.judge({ round, asked: 0, unanswered: 0, skipped: 0, pseudoLabels, ...taught }, watch);
  }

  /**
   * What a round did, and what the student has come to by it.
   * @throws InputError where the student diverged
   */
  private async judge(done: Done, watch: Stopwatch): Promise<RoundReport> {
    const { round, asked, skipped, loss } = done;
    if (!Number.isFinite(loss)) {
      throw new InputError(`the student diverged in round ${round}: its loss is ${loss}; lower --rate`);
    }
    const scores = await watch.time("evaluate", () => this.judging.score(round));
    const { held, heldSkipped } = this.judging;
    return {
      ...done,
      asked: asked + (round === 0 ? held : 0),
      queries: this.queries,
      skipped: skipped + (round === 0 ? heldSkipped : 0),
      ...scores,
      seconds: watch.seconds,
    };
  }

  dispose(): void {
    this.judging.dispose();
    disposeEquipment(this.equipment);
  }
}
