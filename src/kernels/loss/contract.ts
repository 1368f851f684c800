import { InputError } from "../../errors.js";
import { expectRank, expectShape, type Shape } from "../../tensor/shape.js";

/** Rows of class scores: B images, K classes. */
export interface ScoreSizes {
  readonly rows: number;
  readonly classes: number;
}

/**
 * Sizes of one row of class scores an image, [B, K].
 * @throws ShapeError where there are not two axes.
 */
export function scoreSizes(operation: string, what: string, scores: Shape): ScoreSizes {
  expectRank(operation, what, scores, "B K");
  return { rows: scores[0], classes: scores[1] };
}

/** How sharply the softmax tells classes apart. */
export interface CrossEntropyOptions {
  /** Divides the logits: above 0 and finite; 1 where absent. */
  readonly temperature?: number | undefined;
}

/**
 * The temperature of the options.
 * @throws InputError where it is not above 0 and finite.
 */
export function crossEntropyTemperature({ temperature = 1 }: CrossEntropyOptions): number {
  if (temperature > 0 && Number.isFinite(temperature)) return temperature;
  throw new InputError(`softmaxCrossEntropy: temperature is ${temperature}; expected a number above 0`);
}

/**
 * Sizes of logits [B, K] and their soft targets [B, K].
 * @throws ShapeError where the logits have not two axes, or the targets another shape.
 */
export function crossEntropySizes(logits: Shape, targets: Shape): ScoreSizes {
  const sizes = scoreSizes("softmaxCrossEntropy", "logits", logits);
  expectShape("softmaxCrossEntropy", "targets", targets, logits);
  return sizes;
}
