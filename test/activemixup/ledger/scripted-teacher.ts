import {
  AnswerFault,
  TeacherFault,
  type Answer,
  type AskingManner,
  type QueryBatch,
  type Teacher,
} from "../../../src/activemixup/index.js";
import { sleep } from "../../../src/activemixup/ledger/pacer.js";

export const CLASSES = 3;
export const SHAPE = { channels: 1, height: 1, width: 2 };

/** Images of two pixels, all different. */
export function images(count: number, from = 0): { count: number; pixels: Uint8Array } & typeof SHAPE {
  const pixels = Uint8Array.from({ length: 2 * count }, (_, index) =>
    index % 2 === 0 ? (from + (index >> 1)) >> 8 : (from + (index >> 1)) & 255,
  );
  return { ...SHAPE, count, pixels };
}

/** The answer that belongs to an image of two pixels. */
export function answerTo(pixels: Uint8Array): Float32Array {
  const share = (pixels[0] * 256 + pixels[1]) / 65536;
  return Float32Array.of(share, (1 - share) / 2, (1 - share) / 2);
}

/** What happens to one attempt, in place of good answers. */
export type Mishap =
  | { readonly kind: "fault"; readonly charged: boolean; readonly retryAfter?: number }
  | { readonly kind: "error"; readonly error: Error }
  | { readonly kind: "bad"; readonly image: number; readonly answer: Answer }
  | { readonly kind: "short" }
  | { readonly kind: "hang" };

/** Answers by the pixels, with the mishaps of a script, attempt by attempt; remembers all that it was asked. */
export class ScriptedTeacher implements Teacher {
  readonly classes = CLASSES;
  readonly manner: AskingManner;
  /** Images of each attempt. */
  readonly attempts: QueryBatch[] = [];
  underWay = 0;
  mostUnderWay = 0;

  constructor(
    manner: Partial<AskingManner> = {},
    private readonly script: (attempt: number) => Mishap | undefined = () => undefined,
    readonly name = "scripted",
  ) {
    this.manner = { batch: 4, concurrency: 1, attempts: 5, backoffSeconds: 0.001, charges: true, ...manner };
  }

  /** Images asked about, one a time that it was. */
  get asked(): number {
    return this.attempts.reduce((sum, { count }) => sum + count, 0);
  }

  async query(batch: QueryBatch, signal?: AbortSignal): Promise<Answer[]> {
    const mishap = this.script(this.attempts.push(batch));
    this.mostUnderWay = Math.max(this.mostUnderWay, ++this.underWay);
    try {
      await sleep(mishap?.kind === "hang" ? 60 : 0.001, signal);
      if (mishap?.kind === "fault") throw new TeacherFault("out of order", mishap.charged, mishap.retryAfter);
      if (mishap?.kind === "error") throw mishap.error;
      const answers: Answer[] = batch.ids.map((_, index) => answerTo(batch.pixels.subarray(2 * index, 2 * index + 2)));
      if (mishap?.kind === "bad") answers[mishap.image] = mishap.answer;
      return mishap?.kind === "short" ? answers.slice(1) : answers;
    } finally {
      this.underWay--;
    }
  }
}

export { AnswerFault };
