import type { DType } from "./dtype.js";
import type { Recorder } from "./recording.js";
import type { Shape } from "./shape.js";
import type { Tensor } from "./tensor.js";

/** What one call of a kernel solves, where several variants can: enough to solve it again by each of them and compare. */
export interface Problem {
  /** Names kernel and sizes: `matmul 64x10x84 nt`. */
  readonly key: string;
  /** Variants that the device can run. */
  readonly candidates: readonly string[];
  /** The one of them that runs where nothing was measured. */
  readonly byRule: string;
  readonly inputs: readonly { readonly shape: Shape; readonly dtype: DType }[];
  /**
   * The axis of each input along which the problem falls into parts: row i of the result, along its first axis, depends
   * on row i of the inputs that have such an axis, and on the whole of the others.
   */
  readonly axes: readonly (number | undefined)[];
  /** Of all parts together. */
  readonly multiplyAdds: number;
  /**
   * Records the problem anew, by one of the candidates and no other, on tensors like `inputs`; or some of its parts, on
   * tensors that are shorter along their `axes`. Returns the result, an intermediate.
   */
  record(recorder: Recorder, inputs: readonly Tensor[], variant: string): Tensor;
}
