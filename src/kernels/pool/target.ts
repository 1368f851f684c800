import type { Recorder } from "../../tensor/recording.js";
import { expectShape, type Shape } from "../../tensor/shape.js";
import type { Tensor } from "../../tensor/tensor.js";

/** Where the result goes. */
export interface PoolTarget {
  /** Takes the result; an intermediate where absent. */
  out?: Tensor<"f32">;
}

/** `target.out`, or an intermediate. */
export function output(recorder: Recorder, kernel: string, shape: Shape, target: PoolTarget): Tensor<"f32"> {
  if (target.out) expectShape(kernel, "out", target.out.shape, shape);
  return target.out ?? recorder.temporary(shape, kernel);
}
