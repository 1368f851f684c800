import { InputError } from "../../errors.js";
import { expectRank, expectShape } from "../../tensor/shape.js";
import { expectDType, type Tensor } from "../../tensor/tensor.js";
import { expectCounter, expectNotNegative } from "../expect.js";

/** What changes from step to step, in the device's memory. */
export interface Schedule {
  /** Learning rate of each step, [T]; the last one holds from there on. */
  rates: Tensor<"f32">;
  /** Steps done so far: u32 [1]. The optimizer reads it; `advance` counts it up. */
  counter: Tensor<"u32">;
}

/** The numbers of SGD, and what changes from step to step. */
export interface SgdOptions extends Schedule {
  /** 0 up to, not including, 1; 0 where absent. */
  momentum?: number;
  /** Times the parameters, is added to the gradients; from 0 up, 0 where absent. */
  weightDecay?: number;
  /** Nesterov's momentum; needs `momentum` above 0; false where absent. */
  nesterov?: boolean;
}

/** The numbers of Adam, and what changes from step to step. */
export interface AdamOptions extends Schedule {
  /** The first step of those that its means hold: u32 [1]. */
  start: Tensor<"u32">;
  /** Decay of the gradients' mean, 0 up to, not including, 1; 0.9 where absent. */
  beta1?: number;
  /** Decay of the mean of their squares, in the same range; 0.999 where absent. */
  beta2?: number;
  /** Added to the root of that mean, from 0 up; 1e-8 where absent. */
  epsilon?: number;
  /** Times the parameters, is added to the gradients (L2, not AdamW); from 0 up, 0 where absent. */
  weightDecay?: number;
}

/** Over which steps parameters are averaged, in the device's memory. */
export interface AverageOptions {
  /** The first step of those that count: u32 [1]. */
  start: Tensor<"u32">;
  /** Steps done so far: u32 [1], as of {@link Schedule}. */
  counter: Tensor<"u32">;
}

/** SGD's numbers, all given. */
export type SgdNumbers = Required<Omit<SgdOptions, keyof Schedule>>;

/** Adam's numbers, all given. */
export type AdamNumbers = Required<Omit<AdamOptions, keyof Schedule | "start">>;

/**
 * SGD's numbers with the absent ones filled in.
 * @throws InputError where one is out of its range.
 */
export function sgdNumbers({ momentum = 0, weightDecay = 0, nesterov = false }: SgdOptions): SgdNumbers {
  expectDecay("sgd", "momentum", momentum);
  expectNotNegative("sgd", "weightDecay", weightDecay);
  if (nesterov && momentum === 0) {
    throw new InputError("sgd: nesterov with momentum 0; give a momentum above 0, or leave nesterov out");
  }
  return { momentum, weightDecay, nesterov };
}

/**
 * Adam's numbers with the absent ones filled in.
 * @throws InputError where one is out of its range.
 */
export function adamNumbers({
  beta1 = 0.9,
  beta2 = 0.999,
  epsilon = 1e-8,
  weightDecay = 0,
}: Partial<AdamNumbers>): AdamNumbers {
  expectDecay("adam", "beta1", beta1);
  expectDecay("adam", "beta2", beta2);
  expectNotNegative("adam", "epsilon", epsilon);
  expectNotNegative("adam", "weightDecay", weightDecay);
  return { beta1, beta2, epsilon, weightDecay };
}

/**
 * Requires flat f32 tensors of one length [P]. Returns P.
 * @throws ShapeError where they are not flat and of one length; DTypeError where one is not f32.
 */
export function flatSize(operation: string, state: Record<string, Tensor<"f32">>): number {
  const [[first, { shape }]] = Object.entries(state);
  expectRank(operation, first, shape, "P");
  for (const [what, tensor] of Object.entries(state)) {
    expectShape(operation, what, tensor.shape, shape);
    expectDType(operation, what, tensor, "f32");
  }
  return shape[0];
}

/**
 * Requires rates [T] and a counter.
 * @throws ShapeError where `rates` has not one axis, or the counter is not [1]; DTypeError where the rates are not f32, or
 * the counter not u32.
 */
export function expectSchedule(operation: string, { rates, counter }: Schedule): void {
  expectRank(operation, "rates", rates.shape, "T");
  expectDType(operation, "rates", rates, "f32");
  expectCounter(operation, counter);
}

function expectDecay(operation: string, what: string, value: number): void {
  if (!(value >= 0 && value < 1)) {
    throw new InputError(`${operation}: ${what} is ${value}; expected a number from 0 up to, not including, 1`);
  }
}
