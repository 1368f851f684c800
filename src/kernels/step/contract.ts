import { InputError } from "../../errors.js";

/**
 * Requires a step that a 32-bit counter can take.
 * @throws InputError
 */
export function expectIncrement(by: number): void {
  if (!Number.isInteger(by) || by < 0 || by > 0xffffffff) {
    throw new InputError(`advance: by is ${by}; expected a whole number from 0 to 4294967295`);
  }
}
