import { hostArray } from "../../tensor/cpu/device.js";
import type { Recorder } from "../../tensor/recording.js";
import type { Tensor } from "../../tensor/tensor.js";
import { expectCounter } from "../expect.js";
import { expectIncrement } from "./contract.js";
import { planAdvance } from "./plan.js";
import { advanceReference } from "./reference.js";

export { planAdvance } from "./plan.js";
export { advanceReference } from "./reference.js";

/**
 * counter += by, in place and modulo 2^32: the last launch of a step, so that the next replay of the recording sees
 * the next learning rate, batch and random numbers. `counter` is u32, shape [1].
 * @throws ShapeError, DTypeError where the counter is none; InputError where `by` is not a whole number.
 */
export function advance(recorder: Recorder, counter: Tensor<"u32">, by = 1): void {
  expectCounter("advance", counter);
  expectIncrement(by);
  recorder.add({
    kernel: "advance",
    reads: [],
    writes: [counter],
    reference: () => {
      advanceReference(hostArray(counter), by);
    },
    plan: () => planAdvance(by),
  });
}
