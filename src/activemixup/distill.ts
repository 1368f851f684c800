import type { DistillInput } from "./distill-input.js";
import { DistillRun } from "./run/distill-run.js";
import type { DistillReport } from "./report.js";

/**
 * Trains the student to do as the teacher does: steps 1 to 7 of active mixup (Wang, Li, Wang, Gong, CVPR 2020). Ends
 * with the budget, or earlier by what `options` say of the held-out images; with those, the student is in the end that
 * of the best round. An abort ends it early: the report then tells of what was done, and the student is as the last
 * training step left it, or the best, where images are held out. While neighbours are still being found there is
 * nothing to report: an abort then rejects with the signal's reason.
 * @throws InputError where options, images, teacher and student do not fit together, before anything is asked; where
 * the teacher gives no answer that can be used; where the student diverges.
 */
export async function distill(input: DistillInput): Promise<DistillReport> {
  const run = await DistillRun.create(input);
  try {
    return await run.execute();
  } finally {
    run.dispose();
  }
}
