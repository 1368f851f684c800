import { InputError } from "../errors.js";
import type { ImageBatch, Teacher } from "./teacher.js";

/** Images in one batch to the teacher. */
export const ASKED_AT_ONCE = 1024;

/** Asks the teacher and counts: never more than the budget. */
export class Ledger {
  private spent = 0;

  constructor(
    private readonly teacher: Teacher,
    readonly budget: number,
  ) {}

  /** Images asked so far. */
  get queries(): number {
    return this.spent;
  }

  get left(): number {
    return this.budget - this.spent;
  }

  /**
   * Asks for soft labels, [count, classes].
   * @throws InputError where the budget does not cover the batch (nothing is asked then), or the answer is no
   * probabilities.
   */
  async query(batch: ImageBatch, signal?: AbortSignal): Promise<Float32Array> {
    if (batch.count > this.left) {
      throw new InputError(`${batch.count} queries are wanted and ${this.left} of ${this.budget} are left`);
    }
    this.spent += batch.count;
    const labels = await this.teacher.query(batch, signal);
    checkProbabilities(labels, batch.count, this.teacher.classes);
    return labels;
  }
}

const SUM_TOLERANCE = 1e-3;

/**
 * Requires rows of probabilities.
 * @throws InputError that names the first image whose answer is none.
 */
export function checkProbabilities(labels: Float32Array, count: number, classes: number): void {
  if (labels.length !== count * classes) {
    throw new InputError(
      `the teacher answered ${labels.length} numbers to ${count} images; expected ${classes} each, its number of classes`,
    );
  }
  for (let image = 0; image < count; image++) {
    const row = labels.subarray(image * classes, (image + 1) * classes);
    const sum = row.reduce((total, value) => total + value, 0);
    if (!row.every((value) => value >= 0) || !(Math.abs(sum - 1) <= SUM_TOLERANCE)) {
      throw new InputError(
        `the teacher's answer to image ${image} of its batch is no probabilities: they sum to ${sum}; ` +
          `expected numbers from 0 up that sum to 1`,
      );
    }
  }
}
