import { DeviceError } from "../../errors.js";
import type { Capabilities } from "../../tensor/device.js";
import type { MatrixSizes, SubgroupMatrix } from "../../tensor/subgroup-matrix/index.js";
import { fitsWorkgroup, type WorkgroupNeeds } from "../expect.js";

/** What is compiled into subgroup-matrix.wgsl, but for the matrices. */
export interface MatrixTile {
  /** Rows, columns and steps of the sum in a workgroup's tile. */
  readonly TILE_M: number;
  readonly TILE_N: number;
  readonly TILE_K: number;
  /** Subgroups in a workgroup, down and across the tile. */
  readonly SUBGROUPS_M: number;
  readonly SUBGROUPS_N: number;
}

/** The tiles, by the names of their variants: rows × columns. A subgroup's share has sides of a multiple of 32. */
export const matrixTiles = {
  "subgroup-matrix-128x128": { TILE_M: 128, TILE_N: 128, TILE_K: 32, SUBGROUPS_M: 2, SUBGROUPS_N: 4 },
  "subgroup-matrix-64x64": { TILE_M: 64, TILE_N: 64, TILE_K: 32, SUBGROUPS_M: 2, SUBGROUPS_N: 2 },
} as const satisfies Record<string, MatrixTile>;

/** A variant by matrices that a subgroup multiplies at once, named after its tile's rows and columns. */
export type MatrixVariant = keyof typeof matrixTiles;

export const matrixVariants = Object.keys(matrixTiles) as MatrixVariant[];

/** Whether a variant is one of subgroup matrices. */
export function isMatrixVariant(variant: string): variant is MatrixVariant {
  return variant in matrixTiles;
}

/** Invocations in a workgroup, and the workgroup memory of its tiles of A and B and its matrices of C. */
export function matrixTileNeeds(tile: MatrixTile, { m, n }: MatrixSizes, subgroupSize: number): WorkgroupNeeds {
  const subgroups = tile.SUBGROUPS_M * tile.SUBGROUPS_N;
  const inputs = tile.TILE_M * (tile.TILE_K + 8) + tile.TILE_K * (tile.TILE_N + 8);
  return { invocations: subgroups * subgroupSize, memory: 2 * inputs + 4 * subgroups * m * n };
}

/** The variants of subgroup matrices that a device can run. */
export function matrixCandidates(capabilities: Capabilities): MatrixVariant[] {
  const { subgroupMatrix, subgroupSize } = capabilities;
  if (!subgroupMatrix) return [];
  return matrixVariants.filter((variant) =>
    fitsWorkgroup(matrixTileNeeds(matrixTiles[variant], subgroupMatrix, subgroupSize), capabilities),
  );
}

/**
 * Requires a device with subgroup matrices.
 * @throws DeviceError where it has none.
 */
export function expectMatrices(operation: string, variant: string, { subgroupMatrix }: Capabilities): SubgroupMatrix {
  if (subgroupMatrix) return subgroupMatrix;
  throw new DeviceError(
    `${operation}: variant "${variant}" needs subgroup matrices; this device has none that work (\`activemixup doctor\` ` +
      `tells why): use "tiled-64x64" or "widened"`,
  );
}
