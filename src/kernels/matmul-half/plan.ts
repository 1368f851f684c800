import { DeviceError } from "../../errors.js";
import type { Capabilities } from "../../tensor/device.js";
import type { GpuPlan } from "../../tensor/launch.js";
import { MATRIX_ENABLES, matrixConstants, matrixSource } from "../../tensor/subgroup-matrix/index.js";
import { expectWorkgroup } from "../expect.js";
import { planTiled } from "../gemm/plan.js";
import { isTiled, type TiledVariant } from "../gemm/tile.js";
import { linearGrid } from "../grid.js";
import type { MatmulOptions, MatmulSizes } from "../matmul/contract.js";
import { matmulParams, matmulSplit } from "../matmul/params.js";
import tiledSource from "../matmul/tiled.wgsl?raw";
import { expectMatrices, matrixTileNeeds, matrixTiles, type MatrixVariant } from "./matrix-tile.js";
import productSource from "./product.wgsl?raw";
import matrixProductSource from "./subgroup-matrix.wgsl?raw";

/** The variants that read f16 themselves. */
export type HalfProgram = TiledVariant | MatrixVariant;

/**
 * Program and grid of one variant for the given sizes. Where it sums in several parts (see {@link matmulSplit}), bias
 * and ReLU are left to those who add them up.
 * @throws DeviceError where the device has not what the variant needs: f16, workgroup memory, subgroup matrices.
 */
export function planMatmulHalf(
  variant: HalfProgram,
  sizes: MatmulSizes,
  options: MatmulOptions,
  hasBias: boolean,
  capabilities: Capabilities,
): GpuPlan {
  const { m, n, k } = sizes;
  const { transposeA = false, transposeB = false } = options;
  const params = matmulParams(sizes, options, hasBias, matmulSplit(variant, sizes));
  const along = { A_ALONG_K: !transposeA, B_ALONG_K: transposeB };
  if (!isTiled(variant)) return { ...planMatrices(variant, sizes, along, capabilities), params };
  if (!capabilities.f16) {
    throw new DeviceError(`matmulHalf: variant "${variant}" needs f16, which this device has not: use "widened"`);
  }
  const source = [productSource, tiledSource];
  const operands = { kernel: "matmulHalf", source, constants: along, params, others: ["widened"] };
  const plan = planTiled(variant, { rows: m, columns: n, depth: k }, operands, capabilities);
  return { ...plan, program: { ...plan.program, enables: ["f16"] } };
}

function planMatrices(
  variant: MatrixVariant,
  { m, n, k }: MatmulSizes,
  along: { A_ALONG_K: boolean; B_ALONG_K: boolean },
  capabilities: Capabilities,
): Omit<GpuPlan, "params"> {
  const matrix = expectMatrices("matmulHalf", variant, capabilities);
  const { subgroupSize } = capabilities;
  const tile = matrixTiles[variant];
  const needs = matrixTileNeeds(tile, matrix, subgroupSize);
  expectWorkgroup("matmulHalf", variant, needs, capabilities, ["subgroup-matrix-64x64", "widened"]);
  const pairs = {
    A_PAIRS: (along.A_ALONG_K ? k : m) % 2 === 0,
    B_PAIRS: (along.B_ALONG_K ? k : n) % 2 === 0,
  };
  return {
    program: {
      name: `matmulHalf/${variant}`,
      enables: MATRIX_ENABLES,
      source: [productSource, ...matrixSource(matrix.dialect), matrixProductSource],
      constants: { ...tile, ...matrixConstants(matrix), SUBGROUP_SIZE: subgroupSize, ...along, ...pairs },
    },
    grid: linearGrid(Math.ceil(m / tile.TILE_M) * Math.ceil(n / tile.TILE_N), 1),
  };
}
