import type { Capabilities } from "../../tensor/device.js";
import type { GpuPlan } from "../../tensor/launch.js";
import type { MatmulOptions, MatmulSizes } from "./contract.js";
import registerSource from "./register.wgsl?raw";
import tiledSource from "./tiled.wgsl?raw";

export type MatmulVariant = "register" | "tiled";

/** The variant for a device: tiles in workgroup memory on GPUs, in registers on software drivers. */
export function chooseMatmul(capabilities: Capabilities): MatmulVariant {
  return capabilities.software ? "register" : "tiled";
}

/** Program and grid of one variant for the given sizes. */
export function planMatmul(
  variant: MatmulVariant,
  { m, n, k }: MatmulSizes,
  { transposeA = false, transposeB = false, relu = false }: MatmulOptions,
  hasBias: boolean,
): GpuPlan {
  const aStrides = transposeA ? [1, m] : [k, 1];
  const bStrides = transposeB ? [1, k] : [n, 1];
  const params = [m, n, k, ...aStrides, ...bStrides, Number(hasBias), Number(relu)];
  if (variant === "tiled") {
    return {
      program: { name: "matmul/tiled", source: [tiledSource] },
      params,
      grid: [Math.ceil(n / 64), Math.ceil(m / 64), 1],
    };
  }
  const tile = { TILE_M: 8, TILE_N: 4, WORKGROUP: 16 };
  return {
    program: { name: "matmul/register", source: [registerSource], constants: tile },
    params,
    grid: [Math.ceil(n / (tile.TILE_N * tile.WORKGROUP)), Math.ceil(m / tile.TILE_M), 1],
  };
}
