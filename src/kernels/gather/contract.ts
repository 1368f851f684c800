import { DTypeError, ShapeError } from "../../errors.js";
import { expectRank, expectShape, formatShape, sizeOf, type Shape } from "../../tensor/shape.js";
import type { Tensor } from "../../tensor/tensor.js";

/** Element types that are copied bit by bit, one 32-bit word each. */
export type WordType = "f32" | "u32";

/** Rows that are copied: how many, and the elements of one. */
export interface RowSizes {
  readonly rows: number;
  readonly rowSize: number;
}

/**
 * Requires 32-bit elements.
 * @throws DTypeError where the tensor is neither f32 nor u32.
 */
export function expectWords(operation: string, what: string, tensor: Tensor): void {
  if (tensor.dtype !== "f32" && tensor.dtype !== "u32") {
    throw new DTypeError(`${operation}: ${what} ("${tensor.name}") holds ${tensor.dtype}; expected f32 or u32`);
  }
}

/**
 * Shape of the rows of `table` [E, …row] that `indices` [B] name: [B, …row]. A row may be a single number: [E].
 * @throws ShapeError where the table has no axis, or the indices not one.
 */
export function gatherShape(table: Shape, indices: Shape): Shape {
  expectRows("gatherRows", "table", table);
  expectRank("gatherRows", "indices", indices, "B");
  return [indices[0], ...table.slice(1)];
}

/**
 * Sizes of a batch `values` [B, …row] that goes into `target` [total, …row]. A row may be a single number: [B].
 * @throws ShapeError where the rows differ.
 */
export function scatterSizes(values: Shape, target: Shape): RowSizes {
  expectRows("scatterBatch", "values", values);
  expectRows("scatterBatch", "target", target);
  expectShape("scatterBatch", "target", target, [target[0], ...values.slice(1)]);
  return { rows: values[0], rowSize: sizeOf(values) / values[0] };
}

/**
 * Requires a batch of `batch` from a range of `total`.
 * @throws ShapeError where either is not a whole number of at least 1.
 */
export function expectBatch(operation: string, batch: number, total: number): void {
  for (const [what, value] of Object.entries({ batch, total })) {
    if (!Number.isInteger(value) || value < 1 || value > 0xffffffff) {
      throw new ShapeError(`${operation}: ${what} is ${value}; expected a whole number from 1 up`);
    }
  }
}

function expectRows(operation: string, what: string, shape: Shape): void {
  if (shape.length === 0) {
    throw new ShapeError(`${operation}: ${what} is ${formatShape(shape)}; expected rows, at least one axis`);
  }
}
