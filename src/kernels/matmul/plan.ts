import type { Capabilities } from "../../tensor/device.js";
import type { GpuPlan } from "../../tensor/launch.js";
import { expectSubgroups } from "../expect.js";
import { planTiled } from "../gemm/plan.js";
import { isTiled } from "../gemm/tile.js";
import { linearGrid } from "../grid.js";
import { LANES, type MatmulVariant } from "./choice.js";
import type { MatmulOptions, MatmulSizes } from "./contract.js";
import { matmulParams, matmulSplit } from "./params.js";
import productSource from "./product.wgsl?raw";
import registerSource from "./register.wgsl?raw";
import subgroupSource from "./subgroup.wgsl?raw";
import { isThin, planThin } from "./thin.js";
import tiledSource from "./tiled.wgsl?raw";

/**
 * Columns a lane of `subgroup` computes: 8 or 4, each a pipeline of its own, whichever takes less time over all
 * columns. A workgroup's time grows as TILE_N + 2: loads of B and multiply-adds, and what A costs, about as two columns.
 */
function columnsPerLane(n: number): number {
  const cost = (tile: number) => Math.ceil(n / (LANES * tile)) * (tile + 2);
  return cost(4) < cost(8) ? 4 : 8;
}

/**
 * Program and grid of one variant for the given sizes. Where it sums in several parts (see {@link matmulSplit}), bias
 * and ReLU are left to those who add them up.
 * @throws DeviceError where the device has not what the variant needs: subgroups of 8, or workgroup memory.
 */
export function planMatmul(
  variant: MatmulVariant,
  sizes: MatmulSizes,
  options: MatmulOptions,
  hasBias: boolean,
  capabilities: Capabilities,
): GpuPlan {
  const { m, n, k } = sizes;
  const { transposeA = false, transposeB = false } = options;
  const params = matmulParams(sizes, options, hasBias, matmulSplit(variant, sizes));
  if (isTiled(variant)) {
    const operands = {
      kernel: "matmul",
      source: [productSource, tiledSource],
      constants: { A_ALONG_K: !transposeA, B_ALONG_K: transposeB },
      params,
      others: ["register"],
    };
    return planTiled(variant, { rows: m, columns: n, depth: k }, operands, capabilities);
  }
  if (isThin(variant)) return { ...planThin(variant, sizes, options, capabilities), params };
  if (variant === "subgroup") {
    expectSubgroups("matmul", capabilities, LANES, ["register", "tiled-64x64"]);
    const tile = { TILE_M: 2 * LANES, TILE_N: columnsPerLane(n), WORKGROUP: LANES };
    return {
      program: {
        name: "matmul/subgroup",
        enables: ["subgroups"],
        source: [productSource, subgroupSource],
        constants: tile,
      },
      params,
      grid: linearGrid(Math.ceil(m / tile.TILE_M) * Math.ceil(n / (tile.TILE_N * tile.WORKGROUP)), 1),
    };
  }
  const tile = { TILE_M: 8, TILE_N: 4, WORKGROUP: 16 };
  return {
    program: { name: "matmul/register", source: [productSource, registerSource], constants: tile },
    params,
    grid: linearGrid(Math.ceil(m / tile.TILE_M) * Math.ceil(n / (tile.TILE_N * tile.WORKGROUP)), 1),
  };
}
