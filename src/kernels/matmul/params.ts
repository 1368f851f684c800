import { splitSum, type Split } from "../gemm/split.js";
import { isTiled } from "../gemm/tile.js";
import type { MatmulOptions, MatmulSizes } from "./contract.js";

/** In how many parts a variant sums over K: more than one only by tiles. */
export function matmulSplit(variant: string, { m, n, k }: MatmulSizes): Split {
  if (!isTiled(variant)) return { parts: 1, partDepth: k };
  return splitSum(variant, { rows: m, columns: n, depth: k });
}

/**
 * Members of `Params` in product.wgsl. Where sums are made in several parts, bias and ReLU are left to those who add them
 * up.
 */
export function matmulParams(
  { m, n, k }: MatmulSizes,
  { transposeA = false, transposeB = false, relu = false }: MatmulOptions,
  hasBias: boolean,
  { parts, partDepth }: Split,
): number[] {
  const aStrides = transposeA ? [1, m] : [k, 1];
  const bStrides = transposeB ? [1, k] : [n, 1];
  const epilogue = parts === 1 ? [Number(hasBias), Number(relu)] : [0, 0];
  return [m, n, k, ...aStrides, ...bStrides, ...epilogue, partDepth];
}
