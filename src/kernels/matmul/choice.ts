import type { Capabilities } from "../../tensor/device.js";
import { tiledByRule } from "../gemm/split.js";
import { tiledCandidates, tiledVariants, type TiledVariant } from "../gemm/tile.js";
import { chosenVariant, type Choice } from "../variant.js";
import type { MatmulOptions, MatmulSizes } from "./contract.js";
import { thinCandidates, thinVariants, type ThinVariant } from "./thin.js";

/**
 * `register`: tiles in registers, for any software driver. `subgroup`: tiles in registers and shuffles, for software
 * drivers with subgroups of 8. The others use workgroup memory and are for GPUs: `tiled-…` by the tile's rows and
 * columns, `few-rows` and `few-results` for products with no more of them than would fill a tile.
 */
export type MatmulVariant = "register" | "subgroup" | TiledVariant | ThinVariant;

export const matmulVariants: readonly MatmulVariant[] = ["register", "subgroup", ...tiledVariants, ...thinVariants];

/** Size of the subgroups that `subgroup` needs. */
export const LANES = 8;

/** The variants for a product on a device. */
export function matmulChoice(
  sizes: MatmulSizes,
  { transposeA = false, transposeB = false }: MatmulOptions,
  capabilities: Capabilities,
): Choice<MatmulVariant> {
  const { m, n, k } = sizes;
  const fits = capabilities.subgroupSize === LANES;
  const inSoftware: MatmulVariant[] = fits ? ["register", "subgroup"] : ["register"];
  const thin = thinCandidates(sizes, capabilities);
  const tiled = tiledCandidates(capabilities);
  const byTiles = tiledByRule({ rows: m, columns: n, depth: k });
  const onHardware = [...thin, ...tiled.filter((variant) => variant === byTiles), "register" as const];
  return {
    key: `matmul ${m}x${n}x${k} ${transposeA ? "t" : "n"}${transposeB ? "t" : "n"}`,
    candidates: [...inSoftware, ...tiled, ...thin],
    byRule: capabilities.software ? inSoftware[inSoftware.length - 1] : onHardware[0],
  };
}

/** The variant for a product on a device: a pure function of sizes, options and capabilities. */
export function chooseMatmul(sizes: MatmulSizes, options: MatmulOptions, capabilities: Capabilities): MatmulVariant {
  return chosenVariant(matmulChoice(sizes, options, capabilities), capabilities);
}
