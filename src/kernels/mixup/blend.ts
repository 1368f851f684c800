import { DeviceError } from "../../errors.js";
import { hostArray } from "../../tensor/cpu/device.js";
import type { Capabilities } from "../../tensor/device.js";
import type { Recorder } from "../../tensor/recording.js";
import { expectRank, expectShape } from "../../tensor/shape.js";
import { expectDType, reshape, slice, type Tensor } from "../../tensor/tensor.js";
import { output, type Target } from "../output.js";
import { planBlend } from "./plan.js";
import { blendReference } from "./reference.js";

/**
 * λ·a + (1 − λ)·b of each pair of rows, with λ = weights[row]: mixup of f32 values, images or features. a and b are
 * [B, …], `weights` [B], the result is shaped like a, all f32. Tensors larger than one binding of the device are
 * blended in several launches.
 * @throws ShapeError where the shapes do not fit, DTypeError where a tensor is not f32, DeviceError where there are
 * more than a binding takes, and one row, or so many as begin where a binding may, are larger than that.
 */
export function blend(
  recorder: Recorder,
  a: Tensor<"f32">,
  b: Tensor<"f32">,
  weights: Tensor<"f32">,
  target: Target = {},
): Tensor<"f32"> {
  for (const [what, tensor] of Object.entries({ a, b, weights })) expectDType("blend", what, tensor, "f32");
  expectShape("blend", "b", b.shape, a.shape);
  const [rows] = a.shape;
  expectRank("blend", "weights", weights.shape, "B");
  expectShape("blend", "weights", weights.shape, [rows]);
  const out = output(recorder, "blend", a.shape, target);
  const rowSize = a.size / rows;
  const most = rowsPerBinding(rows, rowSize, recorder.device.capabilities);
  for (let first = 0; first < rows; first += most) {
    const count = Math.min(most, rows - first);
    const part = (tensor: Tensor<"f32">) =>
      count === rows ? tensor : slice(reshape(tensor, [tensor.size]), first * rowSize, [count, rowSize]);
    const [aPart, bPart, outPart] = [a, b, out].map(part);
    recorder.add({
      kernel: "blend",
      reads: [aPart, bPart, weights],
      writes: [outPart],
      reference: () => {
        blendReference(hostArray(aPart), hostArray(bPart), hostArray(weights), hostArray(outPart), first, rowSize);
      },
      plan: () => planBlend(count, rowSize, first),
    });
  }
  return out;
}

/** Of `rows` rows of `rowSize` f32 so many as one binding takes: all, or such that the next part begins where one may. */
function rowsPerBinding(rows: number, rowSize: number, { bindingBytes, offsetAlignment }: Capabilities): number {
  const rowBytes = 4 * rowSize;
  if (rows * rowBytes <= bindingBytes) return rows;
  let step = 1;
  while ((step * rowBytes) % offsetAlignment !== 0) step++;
  const most = Math.floor(bindingBytes / rowBytes / step) * step;
  if (most > 0) return most;
  throw new DeviceError(`blend: ${step} rows of ${rowBytes} bytes are more than a binding's ${bindingBytes}`);
}
