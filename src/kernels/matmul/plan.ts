import type { Capabilities } from "../../tensor/device.js";
import type { GpuPlan } from "../../tensor/launch.js";
import { expectSubgroups } from "../expect.js";
import { linearGrid } from "../grid.js";
import { LANES, type MatmulVariant } from "./choice.js";
import type { MatmulOptions, MatmulSizes } from "./contract.js";
import productSource from "./product.wgsl?raw";
import registerSource from "./register.wgsl?raw";
import subgroupSource from "./subgroup.wgsl?raw";
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
 * Program and grid of one variant for the given sizes.
 * @throws DeviceError where the variant is `subgroup` and the device has not subgroups of 8.
 */
export function planMatmul(
  variant: MatmulVariant,
  { m, n, k }: MatmulSizes,
  { transposeA = false, transposeB = false, relu = false }: MatmulOptions,
  hasBias: boolean,
  capabilities: Capabilities,
): GpuPlan {
  const aStrides = transposeA ? [1, m] : [k, 1];
  const bStrides = transposeB ? [1, k] : [n, 1];
  const params = [m, n, k, ...aStrides, ...bStrides, Number(hasBias), Number(relu)];
  if (variant === "tiled") {
    return {
      program: { name: "matmul/tiled", source: [productSource, tiledSource] },
      params,
      grid: linearGrid(Math.ceil(m / 64) * Math.ceil(n / 64), 1),
    };
  }
  if (variant === "subgroup") {
    expectSubgroups("matmul", capabilities, LANES, ["register", "tiled"]);
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
