import type { Recorder } from "../tensor/recording.js";
import { expectShape, type Shape } from "../tensor/shape.js";
import { expectDType, type Tensor } from "../tensor/tensor.js";

/** Where a kernel's result goes. */
export interface Target {
  /** Takes the result, and is wholly overwritten; an intermediate where absent. */
  out?: Tensor<"f32">;
}

/**
 * `target.out`, or an intermediate, for a result of `shape`.
 * @throws ShapeError where `out` has another shape, DTypeError where it is not f32.
 */
export function output(recorder: Recorder, kernel: string, shape: Shape, { out }: Target): Tensor<"f32"> {
  if (!out) return recorder.temporary(shape, kernel);
  expectShape(kernel, "out", out.shape, shape);
  expectDType(kernel, "out", out, "f32");
  return out;
}
