import { DeviceError } from "../../errors.js";
import type { Capabilities } from "../../tensor/device.js";
import type { GpuPlan } from "../../tensor/launch.js";
import { MATRIX_ENABLES, matrixConstants, matrixSource } from "../../tensor/subgroup-matrix/index.js";
import { expectWorkgroup } from "../expect.js";
import { planTiled } from "../gemm/plan.js";
import { splitSum, type Split } from "../gemm/split.js";
import { isTiled, type TiledVariant } from "../gemm/tile.js";
import { linearGrid } from "../grid.js";
import type { MatmulOptions, MatmulSizes } from "../matmul/contract.js";
import tiledSource from "../matmul/tiled.wgsl?raw";
import { expectMatrices, matrixTileNeeds, matrixTiles, type MatrixVariant } from "./matrix-tile.js";
import productSource from "./product.wgsl?raw";
import matrixProductSource from "./subgroup-matrix.wgsl?raw";

/** The variants that read f16 themselves. */
export type HalfProgram = TiledVariant | MatrixVariant;

/** In how many parts a variant sums over K: more than one only by tiles. */
export function matmulHalfSplit(variant: HalfProgram, { m, n, k }: MatmulSizes): Split {
  if (!isTiled(variant)) return { parts: 1, partDepth: k };
  return splitSum(variant, { rows: m, columns: n, depth: k });
}

/**
 * Program and grid of one variant for the given sizes. Where it sums in several parts (see {@link matmulHalfSplit}), bias
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
  const { transposeA = false, transposeB = false, relu = false } = options;
  const { parts, partDepth } = matmulHalfSplit(variant, sizes);
  const aStrides = transposeA ? [1, m] : [k, 1];
  const bStrides = transposeB ? [1, k] : [n, 1];
  const epilogue = parts === 1 ? [Number(hasBias), Number(relu)] : [0, 0];
  const params = [m, n, k, ...aStrides, ...bStrides, ...epilogue, partDepth];
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
