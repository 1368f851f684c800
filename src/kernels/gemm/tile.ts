import type { Capabilities } from "../../tensor/device.js";
import { fitsWorkgroup, type WorkgroupNeeds } from "../expect.js";

/** What is compiled into tile.wgsl. */
export interface Tile {
  /** Rows, columns and steps of the sum in a workgroup's tile. */
  readonly TILE_M: number;
  readonly TILE_N: number;
  readonly TILE_K: number;
  /** Rows and columns that an invocation computes. */
  readonly RESULTS_M: number;
  readonly RESULTS_N: number;
}

/**
 * The tiles, by the names of their variants: rows × columns. The number of invocations is a multiple of each side, so
 * that an invocation loads along one row or column, and at least TILE_K.
 */
export const tiles = {
  "tiled-128x128": { TILE_M: 128, TILE_N: 128, TILE_K: 8, RESULTS_M: 8, RESULTS_N: 8 },
  "tiled-128x64": { TILE_M: 128, TILE_N: 64, TILE_K: 16, RESULTS_M: 8, RESULTS_N: 4 },
  "tiled-64x64": { TILE_M: 64, TILE_N: 64, TILE_K: 16, RESULTS_M: 4, RESULTS_N: 4 },
  "tiled-32x32": { TILE_M: 32, TILE_N: 32, TILE_K: 16, RESULTS_M: 4, RESULTS_N: 4 },
} as const satisfies Record<string, Tile>;

/** A variant by tiles in workgroup memory, named after their rows and columns. */
export type TiledVariant = keyof typeof tiles;

export const tiledVariants = Object.keys(tiles) as TiledVariant[];

/** Whether a variant is one of tiles. */
export function isTiled(variant: string): variant is TiledVariant {
  return variant in tiles;
}

/** What a tile needs of a workgroup; a step in memory takes up to 16 bytes. */
export function tileNeeds({ TILE_M, TILE_N, TILE_K, RESULTS_M, RESULTS_N }: Tile): WorkgroupNeeds {
  return {
    invocations: (TILE_M / RESULTS_M) * (TILE_N / RESULTS_N),
    memory: TILE_K * (4 * (TILE_M + 1) + 4 * (TILE_N + 1) + 16),
  };
}

/** The tiled variants that a device can run. */
export function tiledCandidates(capabilities: Capabilities): TiledVariant[] {
  return tiledVariants.filter((variant) => fitsWorkgroup(tileNeeds(tiles[variant]), capabilities));
}
