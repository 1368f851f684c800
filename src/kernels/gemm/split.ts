import { tiles, type Tile, type TiledVariant } from "./tile.js";

/** Sizes of a product by tiles: its result has `rows` × `columns` elements, each a sum over `depth` steps. */
export interface Extent {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
}

/** A sum over `depth` steps in parts of `partDepth`, the last of which may be shorter, made side by side. */
export interface Split {
  readonly parts: number;
  readonly partDepth: number;
}

/**
 * Workgroups that keep a large GPU busy: on an A100, splitting until there were about 1200 was faster than until there
 * were 110 (`docs/A100.md` of the project localfold, 2026).
 */
const ENOUGH = 1200;

/** Steps below which a part is not worth writing, reading and adding its results. */
const LEAST_DEPTH = 256;

/**
 * Speed of the tiles that the rule chooses from where all of the device is busy, in TFLOP/s on an A100 (the same
 * source).
 */
const speed = { "tiled-128x64": 14.8, "tiled-64x64": 14.2, "tiled-32x32": 9.7 };

/** Workgroups that one pass over the result takes. */
export function tileCount({ TILE_M, TILE_N }: Tile, { rows, columns }: Extent): number {
  return Math.ceil(rows / TILE_M) * Math.ceil(columns / TILE_N);
}

/** How a tiled variant splits its sums: in one part unless its workgroups are few and its sums long. */
export function splitSum(variant: TiledVariant, extent: Extent): Split {
  const tile = tiles[variant];
  const workgroups = tileCount(tile, extent);
  const wanted = workgroups < ENOUGH / 4 ? Math.floor(ENOUGH / workgroups) : 1;
  const parts = Math.max(1, Math.min(wanted, Math.floor(extent.depth / LEAST_DEPTH)));
  const partDepth = Math.ceil(extent.depth / parts / tile.TILE_K) * tile.TILE_K;
  return { parts: Math.ceil(extent.depth / partDepth), partDepth };
}

/**
 * The tiled variant for a product on hardware where nothing was measured: of those that keep the device busy, the one
 * that takes the least time over all its tiles, what hangs over the edges included; where none does, the one with the
 * most workgroups.
 */
export function tiledByRule(extent: Extent): TiledVariant {
  const byTime = Object.entries(speed)
    .map(([name, rate]) => {
      const variant = name as TiledVariant;
      const { TILE_M, TILE_N } = tiles[variant];
      const count = tileCount(tiles[variant], extent);
      return { variant, workgroups: count * splitSum(variant, extent).parts, time: (count * TILE_M * TILE_N) / rate };
    })
    .sort((a, b) => a.time - b.time);
  const busy = byTime.find(({ workgroups }) => workgroups >= ENOUGH / 2);
  const [widest] = [...byTime].sort((a, b) => b.workgroups - a.workgroups);
  return (busy ?? widest).variant;
}
