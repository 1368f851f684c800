/** Probabilities of the classes, each from 0 to 1, that sum to 1; or why an image has none. */
export type Answer = Float32Array | AnswerFault;

/** An answer to one image that is none: refused, never trained on. */
export class AnswerFault {
  /** @param message what was found and what was expected, without the query's identity: `3 scores; expected 10` */
  constructor(readonly message: string) {}
}
