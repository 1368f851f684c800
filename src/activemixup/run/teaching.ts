import { bytesPerImage } from "../../data/index.js";
import { limitWarmup, type Emphasis, type FitOptions, type Network } from "../../nn/index.js";
import { RandomAcquisition } from "../acquisition/index.js";
import { isChoice } from "../candidates/candidates.js";
import { Committee } from "../committee.js";
import type { DistillInput } from "../distill-input.js";
import { MeanPredictor } from "../mean-predictor.js";
import { stepsOf } from "../plan.js";
import type { RoundStart } from "../round-start.js";
import { soften } from "../soften.js";
import type { Stopwatch } from "../stopwatch.js";
import type { Example } from "../training-images.js";
import type { Asking } from "./asking.js";
import { concatenate } from "./concatenate.js";
import { exampleOf, type Equipment } from "./equipment.js";

/** What a student, or several, did in a round. */
interface Taught {
  /** Training steps of the student that is kept. */
  readonly steps: number;
  /** Mean training loss of its last pass, in nats. */
  readonly loss: number;
}

/** Candidates that are made and given pseudo-labels at a time: an abort waits for so many at most. */
const PORTION = 2048;

/** How the student, and a committee where there is one, learn what was answered: step 6 of the paper. */
export class Teaching {
  constructor(
    private readonly input: DistillInput,
    /** How many rounds ask. */
    private readonly askingRounds: number,
    private readonly equipment: Equipment,
    private readonly asking: Asking,
    private readonly start: RoundStart,
  ) {}

  /**
   * Trains the student on all answers, and the committee that the next round asks.
   * @throws InputError where one of the committee diverges; what aborted the run
   */
  async train(round: number): Promise<Taught> {
    const { trainer, examples, committee } = this.equipment;
    const steps = stepsOf(round, this.asking.answers.length, this.input.options);
    // The others are trained for the next round's choice alone.
    const others = round < this.askingRounds - 1 ? committee : undefined;
    const total = steps * (1 + (others?.networks.length ?? 0));
    this.giveExamples(this.asking.examples, this.asking.labels);
    await this.start.begin(round);
    const loss = await trainer.fit(round, this.fitting(round, steps, 0, total));
    await others?.train(round, examples, this.fitting(round, steps, steps, total));
    return { steps, loss };
  }

  /**
   * Behind the last query: a committee learns all answers and labels candidates that nobody was asked about, and the
   * student learns both. The mean of several students is nearer to the teacher than each of them, and one network can
   * learn it from images enough (Buciluă, Caruana, Niculescu-Mizil, "Model compression", KDD 2006).
   * @throws InputError where one of the committee diverges; what aborted the run
   */
  async close(round: number, watch: Stopwatch): Promise<Taught> {
    const { asking } = this;
    const { student, options } = this.input;
    const { trainer, examples } = this.equipment;
    const pseudoLabels = options.pseudoLabels!;
    const steps = stepsOf("closing", asking.answers.length + pseudoLabels, options);
    const learning = stepsOf("closing", asking.answers.length, options);
    const committee = this.equipment.committee ?? (await Committee.create(student, options));
    const before = learning * committee.networks.length;
    try {
      this.giveExamples(asking.examples, asking.labels);
      const fitting = this.fitting(round, learning, 0, before + steps);
      await watch.time("train", () => committee.train(round, examples, fitting));
      const students = [student, ...committee.networks];
      const pseudo = await watch.time("select", () => this.pseudoLabelled(round, pseudoLabels, students));
      this.giveExamples([...asking.examples, ...pseudo.examples], [...asking.labels, ...pseudo.labels]);
    } finally {
      if (committee !== this.equipment.committee) committee.dispose();
    }
    await this.start.begin(round);
    const fitting = this.fitting(round, steps, before, before + steps);
    const loss = await watch.time("train", () => trainer.fit(round, fitting));
    return { steps, loss };
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
          examples.push(exampleOf(this.equipment, choice, pixels.subarray(index * size, (index + 1) * size)));
        }
        observer?.onProgress?.("select", round, labels.length, count);
      }
    } finally {
      predictor.dispose();
    }
    return { examples, labels };
  }

  private giveExamples(examples: readonly Example[], labels: readonly Float32Array[]): void {
    const { images, examples: onDevice } = this.equipment;
    images.upload();
    const { temperature = 1 } = this.input.options;
    onDevice.set(examples, soften(concatenate(labels, Float32Array), onDevice.classes, temperature));
  }

  /**
   * How a network is trained in a round on the examples that were given.
   * @param before steps of the `total` that other networks have made in this round
   */
  private fitting(round: number, steps: number, before: number, total: number): FitOptions {
    const { options, observer, signal } = this.input;
    return {
      steps,
      schedule: limitWarmup(options.schedule, steps),
      emphasis: this.emphasis(this.equipment.examples.count),
      warped: round < (options.augmentRounds ?? Infinity),
      signal,
      onProgress: (done) => observer?.onProgress?.("train", round, before + done, total),
    };
  }

  /** The real images stand first; where they are fewer than `realShare` asks for, batches have them oftener. */
  private emphasis(examples: number): Emphasis | undefined {
    const { realShare: share = 0 } = this.input.options;
    const count = this.asking.answers.filter((answer) => !isChoice(answer)).length;
    return count > 0 && count < share * examples ? { count, share } : undefined;
  }
}
