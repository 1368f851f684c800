import type { Capabilities } from "../../tensor/device.js";
import { tiledByRule } from "../gemm/split.js";
import { tiledCandidates, tiledVariants, type TiledVariant } from "../gemm/tile.js";
import type { MatmulOptions, MatmulSizes } from "../matmul/contract.js";
import { chosenVariant, type Choice } from "../variant.js";
import { matrixCandidates, matrixTiles, matrixVariants, type MatrixVariant } from "./matrix-tile.js";

/**
 * `widened`: both operands made f32 and multiplied by the f32 product's own variants; for software drivers, and for
 * devices without f16. `tiled-…`: tiles in workgroup memory, by their rows and columns, for GPUs with f16.
 * `subgroup-matrix-…`: likewise by matrices that a subgroup multiplies at once, for GPUs with tensor cores.
 */
export type MatmulHalfVariant = "widened" | TiledVariant | MatrixVariant;

export const matmulHalfVariants: readonly MatmulHalfVariant[] = ["widened", ...tiledVariants, ...matrixVariants];

/**
 * Workgroups from which on the larger tiles of matrices are taken: two for each of the 132 multiprocessors of an H100.
 * An assumption: no GPU has been measured.
 */
const ENOUGH = 264;

/** The variants for a product of f16 on a device. */
export function matmulHalfChoice(
  { m, n, k }: MatmulSizes,
  { transposeA = false, transposeB = false }: MatmulOptions,
  capabilities: Capabilities,
): Choice<MatmulHalfVariant> {
  const tiled = capabilities.f16 ? tiledCandidates(capabilities) : [];
  const matrices = matrixCandidates(capabilities);
  const enough = matrices.filter((variant) => workgroups(variant, m, n) >= ENOUGH);
  const byTiles = tiledByRule({ rows: m, columns: n, depth: k });
  const onHardware: MatmulHalfVariant[] = [
    ...enough,
    ...matrices.toReversed(),
    ...tiled.filter((variant) => variant === byTiles),
  ];
  return {
    key: `matmulHalf ${m}x${n}x${k} ${transposeA ? "t" : "n"}${transposeB ? "t" : "n"}`,
    candidates: ["widened", ...tiled, ...matrices],
    byRule: capabilities.software ? "widened" : (onHardware[0] ?? "widened"),
  };
}

function workgroups(variant: MatrixVariant, m: number, n: number): number {
  const { TILE_M, TILE_N } = matrixTiles[variant];
  return Math.ceil(m / TILE_M) * Math.ceil(n / TILE_N);
}

/** The variant for a product of f16 on a device: a pure function of sizes, options and capabilities. */
export function chooseMatmulHalf(
  sizes: MatmulSizes,
  options: MatmulOptions,
  capabilities: Capabilities,
): MatmulHalfVariant {
  return chosenVariant(matmulHalfChoice(sizes, options, capabilities), capabilities);
}
