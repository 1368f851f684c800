import { InputError } from "../../errors.js";
import { expectShape } from "../../tensor/shape.js";
import { expectDType, type Tensor } from "../../tensor/tensor.js";

/**
 * Requires a step counter: u32, shape [1].
 * @throws ShapeError, DTypeError
 */
export function expectCounter(operation: string, counter: Tensor): asserts counter is Tensor<"u32"> {
  expectShape(operation, "counter", counter.shape, [1]);
  expectDType(operation, "counter", counter, "u32");
}

/**
 * Requires a step that a 32-bit counter can take.
 * @throws InputError
 */
export function expectIncrement(by: number): void {
  if (!Number.isInteger(by) || by < 0 || by > 0xffffffff) {
    throw new InputError(`advance: by is ${by}; expected a whole number from 0 to 4294967295`);
  }
}
