import { hostArray } from "../../tensor/cpu/device.js";
import type { Recorder } from "../../tensor/recording.js";
import { expectRank } from "../../tensor/shape.js";
import { expectDType, Tensor } from "../../tensor/tensor.js";
import { expectCounter } from "../expect.js";
import { expectBatch, expectWords, gatherShape, scatterSizes, type WordType } from "./contract.js";
import { planBatchIndices, planGatherRows, planScatterBatch } from "./plan.js";
import { batchIndicesReference, gatherRowsReference, scatterBatchReference } from "./reference.js";

export { gatherShape, scatterSizes, type RowSizes, type WordType } from "./contract.js";
export { planBatchIndices, planGatherRows, planScatterBatch } from "./plan.js";
export { batchIndicesReference, gatherRowsReference, scatterBatchReference } from "./reference.js";

/** The same memory seen as 32-bit words, so that copies keep every bit, those of a NaN too. */
const words = (tensor: Tensor<WordType>): Uint32Array =>
  hostArray(new Tensor(tensor.block, tensor.shape, "u32", tensor.byteOffset, tensor.name));

/**
 * out[b] = table[indices[b]]: rows of `table` [E, …row], f32 or u32, copied bit by bit to [B, …row]. `indices` is u32
 * [B]; one past the end takes the last row.
 * @throws ShapeError where `table` has no axis or `indices` not one; DTypeError where `table` is neither f32 nor u32,
 * or `indices` not u32.
 */
export function gatherRows<D extends WordType>(
  recorder: Recorder,
  table: Tensor<D>,
  indices: Tensor<"u32">,
): Tensor<D> {
  const shape = gatherShape(table.shape, indices.shape);
  expectWords("gatherRows", "table", table);
  expectDType("gatherRows", "indices", indices, "u32");
  const sizes = { rows: shape[0], rowSize: table.size / table.shape[0] };
  const out = recorder.temporary(shape, "gatherRows", table.dtype);
  recorder.add({
    kernel: "gatherRows",
    reads: [table, indices],
    writes: [out],
    reference: () => {
      gatherRowsReference(words(table), hostArray(indices), words(out), sizes);
    },
    plan: () => planGatherRows(sizes, table.shape[0]),
  });
  return out;
}

/**
 * The batch of an order that the counter stands at: order[min(counter · B + b, capacity − 1)] as u32 [B], B = `batch`.
 * `order` is u32 [capacity]. A last batch that is not full repeats the last item.
 * @throws ShapeError where `order` has not one axis, `counter` is not [1], or `batch` not a whole number from 1 up;
 * DTypeError where `order` or `counter` is not u32.
 */
export function batchIndices(
  recorder: Recorder,
  order: Tensor<"u32">,
  counter: Tensor<"u32">,
  batch: number,
): Tensor<"u32"> {
  expectRank("batchIndices", "order", order.shape, "capacity");
  expectDType("batchIndices", "order", order, "u32");
  return addIndices(recorder, "batchIndices", order, counter, batch, order.shape[0]);
}

/**
 * The batch of 0 … total − 1 that the counter stands at: min(counter · B + b, total − 1) as u32 [B], B = `batch`.
 * @throws ShapeError where `counter` is not [1], or `batch` or `total` not a whole number from 1 up; DTypeError where
 * `counter` is not u32.
 */
export function rangeIndices(recorder: Recorder, counter: Tensor<"u32">, batch: number, total: number): Tensor<"u32"> {
  return addIndices(recorder, "rangeIndices", undefined, counter, batch, total);
}

function addIndices(
  recorder: Recorder,
  kernel: string,
  order: Tensor<"u32"> | undefined,
  counter: Tensor<"u32">,
  batch: number,
  total: number,
): Tensor<"u32"> {
  expectCounter(kernel, counter);
  expectBatch(kernel, batch, total);
  const out = recorder.temporary([batch], kernel, "u32");
  recorder.add({
    kernel,
    reads: [order ?? counter, counter],
    writes: [out],
    reference: () => {
      batchIndicesReference(order && hostArray(order), hostArray(counter), hostArray(out), total);
    },
    plan: () => planBatchIndices(batch, total, order !== undefined),
  });
  return out;
}

/**
 * target[counter · B + b] = values[b], in place, bit by bit, wherever the target has that row: collects the results of
 * batches. `values` is [B, …row] and `target` [total, …row], both f32 or both u32.
 * @throws ShapeError where the rows of `values` and `target` differ or `counter` is not [1]; DTypeError where `values`
 * is neither f32 nor u32, `target` of another type, or `counter` not u32.
 */
export function scatterBatch<D extends WordType>(
  recorder: Recorder,
  values: Tensor<D>,
  counter: Tensor<"u32">,
  target: Tensor<D>,
): void {
  const sizes = scatterSizes(values.shape, target.shape);
  expectWords("scatterBatch", "values", values);
  expectDType("scatterBatch", "target", target, values.dtype);
  expectCounter("scatterBatch", counter);
  recorder.add({
    kernel: "scatterBatch",
    reads: [values, counter],
    writes: [target],
    reference: () => {
      scatterBatchReference(words(values), hostArray(counter), words(target), sizes);
    },
    plan: () => planScatterBatch(sizes, target.size),
  });
}
