/** What a teacher gives for an image; the student is trained on probabilities made of it. */
export type AnswerForm =
  /** One probability a class. */
  | "probabilities"
  /** One number a class, of any size: their softmax is taken. */
  | "logits"
  /** A few classes with scores; what is left of 1 is spread evenly over the other classes. */
  | "top"
  /** One class and nothing else: probability 1. */
  | "label";

export const answerForms: readonly AnswerForm[] = ["probabilities", "logits", "top", "label"];

/** What a teacher said of one image, not yet checked. */
export interface RawAnswer {
  /** Of each class; of each of `labels` where those are given. */
  readonly scores?: unknown;
  /** Class numbers or names. */
  readonly labels?: unknown;
}

/** How answers are read. */
export interface AnswerReading {
  readonly form: AnswerForm;
  readonly classes: number;
  /** Maps names in answers to classes. */
  readonly classNames?: readonly string[] | undefined;
  /** Divide scores by their sum: for scores that stand for themselves and sum to more than 1. */
  readonly normalise?: boolean | undefined;
  /** What a class that is none of `classNames` means: the answer is refused, or the label left out. */
  readonly unknownLabels?: "refuse" | "ignore" | undefined;
}
