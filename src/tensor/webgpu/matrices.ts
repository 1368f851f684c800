import { MATRIX_FEATURE, type MatrixSizes, type SubgroupMatrix } from "../subgroup-matrix/index.js";
import { describeAdapter, fixedSubgroupSize } from "./adapter.js";

/** What an adapter says of its matrices. */
export interface MatrixAdapter {
  /** The adapter and its driver. */
  readonly name: string;
  readonly subgroupSize: number;
  /** Sizes that it multiplies, f16 into f32, the largest first. */
  readonly sizes: readonly MatrixSizes[];
}

/** Whether there are matrices to compute with. */
export interface MatrixVerdict {
  readonly matrix?: SubgroupMatrix;
  /** Why there are none, or what speaks for them. */
  readonly why: string;
}

/** Finds out which of an adapter's sizes work. */
export type MatrixProbe = (adapter: MatrixAdapter) => Promise<MatrixVerdict>;

/** An entry of Dawn's `subgroupMatrixConfigs`. */
interface MatrixConfig extends Record<"M" | "N" | "K", number> {
  readonly componentType: string;
  readonly resultComponentType: string;
}

/** Sides of which the tiles of the kernels hold a whole number. */
const SIDES: readonly number[] = [8, 16, 32];

/** The matrices to use on an adapter: what the probe finds among those that it offers. */
export async function findMatrices(
  { features, info }: Pick<GPUAdapter, "features" | "info">,
  probe: MatrixProbe | undefined,
): Promise<MatrixVerdict> {
  if (!features.has(MATRIX_FEATURE)) return { why: "the adapter does not offer them" };
  if (!features.has("shader-f16")) return { why: "the adapter has no f16" };
  const subgroupSize = fixedSubgroupSize(info);
  if (subgroupSize === 0) return { why: "the adapter's subgroups are of no fixed size" };
  const sizes = usableSizes((info as { subgroupMatrixConfigs?: Iterable<MatrixConfig> }).subgroupMatrixConfigs ?? []);
  if (sizes.length === 0) return { why: "the adapter multiplies none of f16 into f32 with sides of 8, 16 or 32" };
  if (!probe) return { why: "they are not tried out here, only where the package loads Dawn itself" };
  return probe({ name: describeAdapter(info), subgroupSize, sizes });
}

function usableSizes(configs: Iterable<MatrixConfig>): MatrixSizes[] {
  return [...configs]
    .filter(({ componentType, resultComponentType }) => componentType === "f16" && resultComponentType === "f32")
    .map(({ M, N, K }) => ({ m: M, n: N, k: K }))
    .filter((sizes) => Object.values(sizes).every((side) => SIDES.includes(side)))
    .sort((a, b) => b.m * b.n * b.k - a.m * a.n * a.k);
}
