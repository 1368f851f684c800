import { hostArray } from "../../tensor/cpu/device.js";
import type { Recorder } from "../../tensor/recording.js";
import type { Tensor } from "../../tensor/tensor.js";
import { adamNumbers, flatSize, sgdNumbers, type AdamOptions, type SgdOptions } from "./contract.js";
import { planAdam, planSgd } from "./plan.js";
import { adamReference, sgdReference } from "./reference.js";

export { type AdamOptions, type Schedule, type SgdOptions } from "./contract.js";
export { planAdam, planSgd } from "./plan.js";
export { adamReference, sgdReference } from "./reference.js";

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
  /** Running mean of the gradients; zeros before the first step. */
  mean: Tensor<"f32">;
  /** Running mean of their squares; zeros before the first step. */
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
  const count = flatSize("sgd", { parameters, gradients, velocity }, options);
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
 * number t is counter + 1 and the learning rate rates[min(counter, T − 1)], both looked up on the device at each run.
 * @throws ShapeError where the tensors of the state are not flat and of one length, `rates` has not one axis, or
 * `counter` is not [1]; DTypeError where one of these is not f32, or `counter` not u32; InputError where a number is
 * out of its range.
 */
export function adam(recorder: Recorder, state: AdamState, options: AdamOptions): void {
  const { parameters, gradients, mean, variance } = state;
  const { rates, counter } = options;
  const count = flatSize("adam", { parameters, gradients, mean, variance }, options);
  const numbers = adamNumbers(options);
  recorder.add({
    kernel: "adam",
    reads: [gradients, rates, counter],
    writes: [parameters, mean, variance],
    reference: () => {
      adamReference(
        hostArray(parameters),
        hostArray(gradients),
        hostArray(mean),
        hostArray(variance),
        hostArray(rates),
        hostArray(counter),
        numbers,
      );
    },
    plan: (capabilities) => planAdam(count, rates.size, numbers, capabilities),
  });
}
