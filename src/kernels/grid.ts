import type { Grid } from "../tensor/launch.js";

/** Workgroups along one axis that every WebGPU device takes. */
const MOST_WORKGROUPS = 65535;

/**
 * Workgroups for `count` items in a row, `perWorkgroup` in each: along x, and along y too where x alone is too short.
 * With two axes there may be more workgroups than needed, so a kernel checks its index,
 * `(group.y * groups.x + group.x) * perWorkgroup + local`, against `count`.
 */
export function linearGrid(count: number, perWorkgroup: number): Grid {
  const workgroups = Math.ceil(count / perWorkgroup);
  const y = Math.ceil(workgroups / MOST_WORKGROUPS);
  return [Math.ceil(workgroups / y), y, 1];
}

/** The smallest power of 2 that is not below `length`. */
export function powerOfTwo(length: number): number {
  return 2 ** Math.ceil(Math.log2(length));
}

/** The tile of at most `most` that covers `length` in the fewest tiles with the least overhang: 12 by 8 gives 6. */
export function evenTile(length: number, most: number): number {
  return Math.ceil(length / Math.ceil(length / most));
}
