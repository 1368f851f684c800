import type { ImageShape } from "../../nn/index.js";
import type { Answer } from "./answer.js";
import type { AnswerForm } from "./answer-form.js";

export { AnswerFault, type Answer } from "./answer.js";

/** 8-bit images to ask the teacher about. */
export interface QueryBatch extends ImageShape {
  readonly count: number;
  /** N C H W, 0 to 255. */
  readonly pixels: Uint8Array;
  /** Identity of each image's query, as `queryIdentity` makes it: tells answers apart and names them in errors. */
  readonly ids: readonly string[];
}

/**
 * The black box: images in, class probabilities out. The method sees nothing else of it. A teacher makes one attempt a
 * call; the ledger counts attempts, makes them durable, and repeats those that failed.
 */
export interface Teacher {
  /** Tells it apart in ledgers: teachers that may answer differently have different names. Never holds a secret. */
  readonly name: string;
  readonly classes: number;
  readonly classNames?: readonly string[] | undefined;
  readonly manner: AskingManner;
  /** What it gives, before that is made into probabilities; probabilities, where absent. */
  readonly form?: AnswerForm | undefined;
  /**
   * Asks once about at most `manner.batch` images.
   * @returns one answer an image, in the order of the batch
   * @throws TeacherFault where there are no answers; InputError where asking again is of no use
   */
  query(batch: QueryBatch, signal?: AbortSignal): Promise<readonly Answer[]>;
  /** @throws InputError where images of this shape cannot be asked about. */
  checkShape?(images: ImageShape): void;
  dispose?(): void | Promise<void>;
}

/** An attempt that brought no answers at all. */
export class TeacherFault extends Error {
  /**
   * @param message what happened, without secrets: `HTTP 503: overloaded`
   * @param charged whether the teacher may have charged for the attempt: false only where it surely has not
   * @param retryAfter seconds that the teacher asks to wait before the next request
   */
  constructor(
    message: string,
    readonly charged: boolean,
    readonly retryAfter?: number,
  ) {
    super(message);
    this.name = "TeacherFault";
  }
}

/** How a teacher likes to be asked. */
export interface AskingManner {
  /** Most images in one request. */
  readonly batch: number;
  /** Most requests under way at a time. */
  readonly concurrency: number;
  /** Most requests a second; as many as come where absent. */
  readonly requestsPerSecond?: number | undefined;
  /** Seconds after which a request counts as failed; never where absent. */
  readonly timeoutSeconds?: number | undefined;
  /** Attempts about an image, the first included, before the run stops. */
  readonly attempts: number;
  /** Most seconds before the second attempt; each further one may take twice as long, up to a minute. */
  readonly backoffSeconds: number;
  /** Whether attempts may be charged for; a file on this machine never charges. */
  readonly charges: boolean;
}

/** Of a network on this machine: large batches, one after the other, and no failure that would pass. */
export const localManner: AskingManner = {
  batch: 1024,
  concurrency: 1,
  attempts: 1,
  backoffSeconds: 0,
  charges: false,
};

/** Of somebody else's service, unless told otherwise. */
export const serviceManner: AskingManner = {
  batch: 32,
  concurrency: 4,
  timeoutSeconds: 60,
  attempts: 8,
  backoffSeconds: 0.5,
  charges: true,
};
