import { bytesPerImage } from "../../data/index.js";
import { InputError } from "../../errors.js";
import { meanBelief, type Belief } from "../beliefs.js";
import { isChoice, type Chosen } from "../candidates/candidates.js";
import type { DistillInput } from "../distill-input.js";
import type { Panel } from "../ledger/panel.js";
import type { AnsweredQuery, RoundReport } from "../report.js";
import type { Example } from "../training-images.js";
import { concatenate } from "./concatenate.js";
import { exampleOf, type Equipment } from "./equipment.js";

/** What came of asking. */
interface Asked {
  readonly answered: number;
  readonly skipped: number;
  /** Of candidates, the pixels of those that were answered, one after the other. */
  readonly shown: Uint8Array | undefined;
}

/** What is asked about and what is answered: steps 1 to 5 of the paper. */
export class Asking {
  readonly answers: AnsweredQuery[];
  /** The answers as examples. */
  readonly examples: Example[];
  /** Candidates that were chosen and got no answer. */
  readonly leftOut: number[];

  constructor(
    private readonly input: DistillInput,
    /** Queries of each round. */
    private readonly plan: readonly number[],
    private readonly panel: Panel,
    private readonly equipment: Equipment,
  ) {
    this.answers = [...(input.resume?.answers ?? [])];
    this.leftOut = [...(input.resume?.leftOut ?? [])];
    this.examples = this.restore();
  }

  /** The teacher's answers. */
  get labels(): Float32Array[] {
    return this.answers.map(({ label }) => label);
  }

  /**
   * What a round asks about: the real images first (step 1), then what the strategy chooses (steps 3 and 4).
   * @throws InputError where the student has diverged; what aborted the run
   */
  choose(round: number): Promise<Chosen[]> {
    return round === 0 ? this.realImages() : this.chooseCandidates(round);
  }

  /**
   * Shows the teacher the real images, or the 8-bit pixels of candidates: the same that the student is trained on.
   * @returns how many were answered, and how many the teacher never answered; the budget did not cover the others
   * @throws InputError where there is no answer to train on; what ended or aborted the asking
   */
  async ask(round: number, chosen: readonly Chosen[]): Promise<Asked> {
    const { images, observer, signal } = this.input;
    const { channels, height, width } = images;
    const pixels = chosen.every(isChoice)
      ? this.equipment.candidates!.pixels(chosen)
      : images.pixels.subarray(0, images.count * bytesPerImage(images));
    const labels = await this.panel.query(
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
        examples.push(exampleOf(this.equipment, image, own));
        parts.push(own);
      } else {
        if (label === "skipped") skipped++;
        if (image.candidate !== undefined) this.leftOut.push(image.candidate);
      }
    }
    if (this.answers.length + answers.length === 0) {
      throw new InputError(
        "the teacher answered none of the images to train on; mend it, or begin anew with a larger --budget",
      );
    }
    await observer?.onAnswers?.(answers);
    // One by one: a call takes no more than some 100,000 arguments.
    for (const answer of answers) this.answers.push(answer);
    for (const example of examples) this.examples.push(example);
    const shown = answers.length > 0 && answers.every(isChoice) ? concatenate(parts, Uint8Array) : undefined;
    return { answered: answers.length, skipped, shown };
  }

  /** What the student says of candidates that were answered; nothing of real images, which none chose. */
  async beliefs(shown: Uint8Array | undefined): Promise<(Belief | undefined)[]> {
    return (shown && (await this.equipment.selection?.beliefs.of(shown, this.input.signal))) ?? [];
  }

  /** Puts to the last `count` answers what the student said of them; gives the means. */
  keepBeliefs(
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

  private async chooseCandidates(round: number): Promise<Chosen[]> {
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

  /** The examples of the answers of a checkpoint. */
  private restore(): Example[] {
    const size = bytesPerImage(this.input.images);
    const choices = this.answers.filter(isChoice);
    const { candidates } = this.equipment;
    const pixels = candidates?.areBlends === false ? candidates.pixels(choices) : new Uint8Array();
    let place = 0;
    return this.answers.map((answer) => {
      const start = isChoice(answer) ? size * place++ : 0;
      return exampleOf(this.equipment, answer, pixels.subarray(start, start + size));
    });
  }
}
