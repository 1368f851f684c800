import { hostArray } from "../../tensor/cpu/device.js";
import type { Recorder } from "../../tensor/recording.js";
import type { Tensor } from "../../tensor/tensor.js";
import { expectCounters, MOST_COUNTERS } from "./contract.js";
import { planAdvance } from "./plan.js";
import { advanceReference } from "./reference.js";

export { planAdvance } from "./plan.js";
export { advanceReference } from "./reference.js";

/**
 * Adds 1 to each of 1 to 4 counters, in place and modulo 2^32: the last launch of a step, so that the next replay of the
 * recording sees the next learning rate, batch and random numbers. The counters are u32, shape [1].
 * @throws ShapeError where there are more counters or none, or one is not [1]; DTypeError where one is not u32;
 * DeviceError where two are the same.
 */
export function advance(recorder: Recorder, ...counters: Tensor<"u32">[]): void {
  expectCounters(counters);
  // The kernel has a fixed number of bindings, no two of which may be one buffer.
  const spare = Array.from({ length: MOST_COUNTERS - counters.length }, () =>
    recorder.temporary([1], "spare counter", "u32"),
  );
  recorder.add({
    kernel: "advance",
    reads: [],
    writes: [...counters, ...spare],
    reference: () => {
      for (const counter of counters) advanceReference(hostArray(counter));
    },
    plan: planAdvance,
  });
}
