import type { DType } from "../tensor/dtype.js";
import type { Recorder } from "../tensor/recording.js";
import { expectShape, type Shape } from "../tensor/shape.js";
import { expectDType, type Tensor } from "../tensor/tensor.js";

/** Where a kernel's result goes. */
export interface Target<D extends DType = "f32"> {
  /** Takes the result, and is wholly overwritten; an intermediate where absent. */
  out?: Tensor<D>;
}

/**
 * `target.out`, or an intermediate, for a result of `shape` and `dtype`.
 * @throws ShapeError where `out` has another shape, DTypeError where it is not of `dtype`.
 */
export function output<D extends DType = "f32">(
  recorder: Recorder,
  kernel: string,
  shape: Shape,
  { out }: Target<D>,
  dtype: D = "f32" as D,
): Tensor<D> {
  if (!out) return recorder.temporary(shape, kernel, dtype);
  expectShape(kernel, "out", out.shape, shape);
  expectDType(kernel, "out", out, dtype);
  return out;
}
