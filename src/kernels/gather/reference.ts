import type { RowSizes } from "./contract.js";

/** Defines gatherRows: out[b] = table[min(indices[b], E − 1)], copied word by word. */
export function gatherRowsReference(
  table: Uint32Array,
  indices: Uint32Array,
  out: Uint32Array,
  { rows, rowSize }: RowSizes,
): void {
  const lastRow = table.length / rowSize - 1;
  for (let b = 0; b < rows; b++) {
    const start = Math.min(indices[b], lastRow) * rowSize;
    out.set(table.subarray(start, start + rowSize), b * rowSize);
  }
}

/** Defines batchIndices and, without `order`, rangeIndices: p = min(counter · B + b, total − 1); out[b] = order[p] or p. */
export function batchIndicesReference(
  order: Uint32Array | undefined,
  counter: Uint32Array,
  out: Uint32Array,
  total: number,
): void {
  for (let b = 0; b < out.length; b++) {
    const position = Math.min(counter[0] * out.length + b, total - 1);
    out[b] = order ? order[position] : position;
  }
}

/** Defines scatterBatch: target[counter · B + b] = values[b] wherever the target has that row. */
export function scatterBatchReference(
  values: Uint32Array,
  counter: Uint32Array,
  target: Uint32Array,
  { rows, rowSize }: RowSizes,
): void {
  const start = counter[0] * rows * rowSize;
  if (start < target.length) target.set(values.subarray(0, target.length - start), start);
}
