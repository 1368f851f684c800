import type { GpuPlan, Program } from "../../tensor/launch.js";
import { linearGrid } from "../grid.js";
import batchIndicesSource from "./batch-indices.wgsl?raw";
import type { RowSizes } from "./contract.js";
import gatherRowsSource from "./gather-rows.wgsl?raw";
import scatterBatchSource from "./scatter-batch.wgsl?raw";

const WORKGROUP = 64;

const program = (name: string, source: string): Program => ({ name, source: [source], constants: { WORKGROUP } });

/** Program and grid of gatherRows from a table of `tableRows` rows. */
export function planGatherRows({ rows, rowSize }: RowSizes, tableRows: number): GpuPlan {
  return {
    program: program("gather/gather-rows", gatherRowsSource),
    params: [rows * rowSize, rowSize, tableRows - 1],
    grid: linearGrid(rows * rowSize, WORKGROUP),
  };
}

/** Program and grid of batchIndices and, without an order, rangeIndices. */
export function planBatchIndices(batch: number, total: number, hasOrder: boolean): GpuPlan {
  return {
    program: program("gather/batch-indices", batchIndicesSource),
    params: [batch, total - 1, Number(hasOrder)],
    grid: linearGrid(batch, WORKGROUP),
  };
}

/** Program and grid of scatterBatch into a target of `targetWords` 32-bit words. */
export function planScatterBatch({ rows, rowSize }: RowSizes, targetWords: number): GpuPlan {
  return {
    program: program("gather/scatter-batch", scatterBatchSource),
    params: [rows * rowSize, targetWords],
    grid: linearGrid(rows * rowSize, WORKGROUP),
  };
}
