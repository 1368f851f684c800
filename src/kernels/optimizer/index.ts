import { hostArray } from "../../tensor/cpu/device.js";
import type { Recorder } from "../../tensor/recording.js";
import type { Tensor } from "../../tensor/tensor.js";
import { expectCounter } from "../expect.js";
import {
  adamNumbers,
  expectSchedule,
  flatSize,
  sgdNumbers,
  type AdamOptions,
  type AverageOptions,
  type SgdOptions,
} from "./contract.js";
import { planAdam, planAverage, planSgd } from "./plan.js";
import { adamReference, averageReference, sgdReference } from "./reference.js";

export { type AdamOptions, type AverageOptions, type Schedule, type SgdOptions } from "./contract.js";
export { planAdam, planAverage, planSgd } from "./plan.js";
export { adamReference, averageReference, sgdReference } from "./reference.js";

/** What SGD works on: flat, [P] each. */
export interface SgdState {
  parameters: Tensor<"f32">;
  gradients: Tensor<"f32">;
  /** Zeros before the first step. Written without momentum too. */
  velocity: Tensor<"f32">;
}

/** What Adam works on: flat, [P] each. */
export interface AdamState {
  parameters: Tensor<"f32">;
  gradients: Tensor<"f32">;
  /** Running mean of the gradients; zeros before step `start`. */
  mean: Tensor<"f32">;
  /** Running mean of their squares; zeros before step `start`. */
  variance: Tensor<"f32">;
}

/**
 * A step of SGD with momentum, weight decay and Nesterov's momentum, in place, by the formulas of torch.optim.SGD with
 * dampening 0. The learning rate is rates[min(counter, T − 1)], looked up on the device at each run.
 * @throws ShapeError where the tensors of the state are not flat and of one length, `rates` has not one axis, or
 * `counter` is not [1]; DTypeError where one of these is not f32, or `counter` not u32; InputError where a number is
 * out of its range.
 */
export function sgd(recorder: Recorder, state: SgdState, options: SgdOptions): void {
  const { parameters, gradients, velocity } = state;
  const { rates, counter } = options;
  const count = flatSize("sgd", { parameters, gradients, velocity });
  expectSchedule("sgd", options);
  const numbers = sgdNumbers(options);
  recorder.add({
    kernel: "sgd",
    reads: [gradients, rates, counter],
    writes: [parameters, velocity],
    reference: () => {
      sgdReference(
        hostArray(parameters),
        hostArray(gradients),
        hostArray(velocity),
        hostArray(rates),
        hostArray(counter),
        numbers,
      );
    },
    plan: (capabilities) => planSgd(count, rates.size, numbers, capabilities),
  });
}

/**
 * A step of Adam with weight decay added to the gradients, in place, by the formulas of torch.optim.Adam. The step
 * number t is counter − start + 1 and the learning rate rates[min(counter, T − 1)], both looked up on the device at each
 * run.
 * @throws ShapeError where the tensors of the state are not flat and of one length, `rates` has not one axis, or
 * `counter` or `start` is not [1]; DTypeError where one of these is not f32, or `counter` or `start` not u32; InputError
 * where a number is out of its range.
 */
export function adam(recorder: Recorder, state: AdamState, options: AdamOptions): void {
  const { parameters, gradients, mean, variance } = state;
  const { rates, counter, start } = options;
  const count = flatSize("adam", { parameters, gradients, mean, variance });
  expectSchedule("adam", options);
  expectCounter("adam", start, "start");
  const numbers = adamNumbers(options);
  recorder.add({
    kernel: "adam",
    reads: [gradients, rates, counter, start],
    writes: [parameters, mean, variance],
    reference: () => {
      adamReference(
        hostArray(parameters),
        hostArray(gradients),
        hostArray(mean),
        hostArray(variance),
        hostArray(rates),
        hostArray(counter),
        hostArray(start),
        numbers,
      );
    },
    plan: (capabilities) => planAdam(count, rates.size, numbers, capabilities),
  });
}

/**
 * The mean of the parameters over the steps from step `start` on, in place, each counted once: stochastic weight
 * averaging (Izmailov et al., UAI 2018, arXiv 1803.05407). To be recorded behind the optimizer; before step `start`
 * nothing is written, and at it the parameters themselves, whatever `average` held.
 * @param average [P], as the parameters
 * @throws ShapeError where parameters and average are not flat and of one length, or `start` or `counter` is not [1];
 * DTypeError where they are not f32, or these not u32.
 */
export function averageParameters(
  recorder: Recorder,
  parameters: Tensor<"f32">,
  average: Tensor<"f32">,
  { start, counter }: AverageOptions,
): void {
  const count = flatSize("averageParameters", { parameters, average });
  expectCounter("averageParameters", start, "start");
  expectCounter("averageParameters", counter);
  recorder.add({
    kernel: "averageParameters",
    reads: [parameters, start, counter],
    writes: [average],
    reference: () => {
      averageReference(hostArray(parameters), hostArray(average), hostArray(start), hostArray(counter));
    },
    plan: (capabilities) => planAverage(count, capabilities),
  });
}
