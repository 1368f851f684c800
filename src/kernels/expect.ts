import { DeviceError, InputError } from "../errors.js";
import type { Capabilities } from "../tensor/device.js";
import { expectShape } from "../tensor/shape.js";
import { expectDType, type Tensor } from "../tensor/tensor.js";

/** What kernels of several families require. */

/**
 * Requires a step counter, which errors call `what`.
 * @throws ShapeError where its shape is not [1], DTypeError where it is not u32.
 */
export function expectCounter(operation: string, counter: Tensor, what = "counter"): asserts counter is Tensor<"u32"> {
  expectShape(operation, what, counter.shape, [1]);
  expectDType(operation, what, counter, "u32");
}

/**
 * Requires a whole number that 32 bits hold: a seed, or what tells streams of random numbers apart.
 * @throws InputError where it is none.
 */
export function expectUint32(operation: string, what: string, value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
    throw new InputError(`${operation}: ${what} is ${value}; expected a whole number from 0 to 4294967295`);
  }
}

/**
 * Requires a finite number from 0 up.
 * @throws InputError where it is none.
 */
export function expectNotNegative(operation: string, what: string, value: number): void {
  if (!(value >= 0 && value < Infinity)) {
    throw new InputError(`${operation}: ${what} is ${value}; expected a number from 0 up`);
  }
}

/**
 * Requires a device whose subgroups all have `size` invocations, as the variant "subgroup" of some kernels needs.
 * @param others the variants to use instead, for the message
 * @throws DeviceError where it has not.
 */
export function expectSubgroups(
  operation: string,
  { subgroupSize }: Capabilities,
  size: number,
  others: readonly string[],
): void {
  if (subgroupSize === size) return;
  throw new DeviceError(
    `${operation}: variant "subgroup" needs subgroups of ${size}; this device's subgroupSize is ${subgroupSize}` +
      `${subgroupSize === 0 ? " (none, or of no fixed size)" : ""}: use ` +
      others.map((variant) => `"${variant}"`).join(" or "),
  );
}

/** What a kernel needs of a workgroup. */
export interface WorkgroupNeeds {
  readonly invocations: number;
  /** Bytes of workgroup memory. */
  readonly memory: number;
}

/** Whether the device's workgroups have what a kernel needs. */
export function fitsWorkgroup(
  { invocations, memory }: WorkgroupNeeds,
  { workgroupInvocations, workgroupMemory }: Capabilities,
): boolean {
  return invocations <= workgroupInvocations && memory <= workgroupMemory;
}

/**
 * Requires a device whose workgroups have what a variant needs.
 * @param others the variants to use instead, for the message
 * @throws DeviceError where they have not.
 */
export function expectWorkgroup(
  operation: string,
  variant: string,
  needs: WorkgroupNeeds,
  capabilities: Capabilities,
  others: readonly string[],
): void {
  if (fitsWorkgroup(needs, capabilities)) return;
  const { workgroupInvocations, workgroupMemory } = capabilities;
  throw new DeviceError(
    `${operation}: variant "${variant}" needs workgroups of ${needs.invocations} invocations and ${needs.memory} bytes; ` +
      `this device's have at most ${workgroupInvocations} and ${workgroupMemory}: use ` +
      others.map((other) => `"${other}"`).join(" or "),
  );
}
