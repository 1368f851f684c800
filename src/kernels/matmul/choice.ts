import type { Capabilities } from "../../tensor/device.js";
import { chosenVariant, type Choice } from "../variant.js";
import type { MatmulOptions, MatmulSizes } from "./contract.js";

/**
 * `tiled`: tiles in workgroup memory, for GPUs. `register`: tiles in registers, for any software driver. `subgroup`:
 * tiles in registers and shuffles, for software drivers with subgroups of 8.
 */
export type MatmulVariant = "register" | "subgroup" | "tiled";

/** Size of the subgroups that `subgroup` needs. */
export const LANES = 8;

/** The variants for a product on a device. */
export function matmulChoice(
  { m, n, k }: MatmulSizes,
  { transposeA = false, transposeB = false }: MatmulOptions,
  { software, subgroupSize }: Capabilities,
): Choice<MatmulVariant> {
  const fits = subgroupSize === LANES;
  const candidates: MatmulVariant[] = ["register", "tiled", ...(fits ? (["subgroup"] as const) : [])];
  const inSoftware = fits ? "subgroup" : "register";
  return {
    key: `matmul ${m}x${n}x${k} ${transposeA ? "t" : "n"}${transposeB ? "t" : "n"}`,
    candidates,
    byRule: software ? inSoftware : "tiled",
  };
}

/** The variant for a product on a device: a pure function of sizes, options and capabilities. */
export function chooseMatmul(sizes: MatmulSizes, options: MatmulOptions, capabilities: Capabilities): MatmulVariant {
  return chosenVariant(matmulChoice(sizes, options, capabilities), capabilities);
}
